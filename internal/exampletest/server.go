// Package exampletest runs the example server, cmd/example, as a process of its
// own.
package exampletest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/internal/child"
)

// Build compiles the program whose source is in one folder into another one, and
// returns its path.
func Build(source, dir string) (binary string, err error) {
	binary = filepath.Join(dir, "example.exe") // a name that runs on every system
	out, err := exec.Command("go", "build", "-C", source, "-o", binary, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the example: %w\n%s", err, out)
	}
	return binary, nil
}

// A Server is a process, and where it listens.
type Server struct {
	*child.Process
	URL string // such as http://127.0.0.1:1234
}

// Start runs the program on a free port until the test ends. Its environment is
// ours without the settings of a developer's own server, and with more.
func Start(t testing.TB, binary string, more []string, args ...string) *Server {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "COATCHECK_") })
	cmd.Env = append(cmd.Env, more...)
	p := child.Run(t, cmd)
	return &Server{p, URL(t, p.Log)}
}

// URL waits until the program has written where it listens.
func URL(t testing.TB, log *child.Journal) string {
	t.Helper()
	_, url, _ := strings.Cut(log.Await(t, "msg=listening"), "url=")
	return strings.TrimSpace(url)
}
