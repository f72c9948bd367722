package memcachedtest_test

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

const exitEnv = "MEMCACHEDTEST_EXIT_WITHOUT_CLEANUP"

// The test runs itself as a process that starts a server and ends as a panic
// would have it end.
func TestServerEndsWithItsProcess(t *testing.T) {
	if os.Getenv(exitEnv) != "" {
		os.Stdout.WriteString(memcachedtest.Start(t).Addr() + "\n")
		os.Exit(3)
	}
	t.Parallel()
	memcachedtest.Start(t) // skips where there is no memcached
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServerEndsWithItsProcess$")
	cmd.Env = append(os.Environ(), exitEnv+"=1")
	out, _ := cmd.Output()
	addr, _, _ := strings.Cut(string(out), "\n")
	if _, _, err := net.SplitHostPort(addr); err != nil {
		t.Fatalf("no address in %q", out)
	}
	await.Until(t, "the end of the server", func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
}
