package main_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	example "github.com/coatcheck/coatcheck/cmd/example"
	"github.com/coatcheck/coatcheck/internal/child"
	"github.com/coatcheck/coatcheck/internal/exampletest"
)

const (
	// How long memcached may take to answer: a busy machine keeps it waiting
	// longer than the default has patience for. Where it is to hang, nobody has
	// to be that patient; but a commit ends after 2 seconds, and who waits for
	// that is not the one to blame the node.
	memcachedTimeout     = "5s"
	memcachedTimeoutHung = "1s"

	// asProgram makes this test binary the program, for tests that send it
	// signals or kill it.
	asProgram = "COATCHECK_TEST_RUN_EXAMPLE"

	// Two keys, as COATCHECK_KEYS has them; of no use anywhere else.
	keyA = "a:Rk9SLVRFU1RTLU9OTFktRk9SLVRFU1RTLU9OTFktQUFBQQ=="
	keyB = "b:Rk9SLVRFU1RTLU9OTFktRk9SLVRFU1RTLU9OTFktQkJCQg=="
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		example.Main()
	}
	os.Exit(m.Run())
}

// env is the environment of a program: no other variable is seen.
type env map[string]string

func (e env) get(name string) string { return e[name] }

// serve runs the program in this process until the test ends, and returns its
// address.
func serve(t *testing.T, e env, args ...string) string {
	t.Helper()
	url, _ := serveLogged(t, e, args...)
	return url
}

func serveLogged(t *testing.T, e env, args ...string) (string, *child.Journal) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	log := child.NewJournal()
	status := make(chan int, 1)
	go func() {
		defer log.End()
		status <- example.Run(ctx, append([]string{"-addr", "127.0.0.1:0", "-memcached-timeout", memcachedTimeout}, args...), e.get, io.Discard, log)
	}()
	t.Cleanup(func() {
		stop()
		if got := <-status; got != 0 {
			t.Errorf("exit status %d:\n%s", got, log)
		}
	})
	return exampletest.URL(t, log), log
}

// spawn starts the program as a process of its own, which ends with the test.
func spawn(t *testing.T, e env, args ...string) *exampletest.Server {
	t.Helper()
	settings := []string{asProgram + "=1"}
	for name, value := range e {
		settings = append(settings, name+"="+value)
	}
	return exampletest.Start(t, os.Args[0], settings, append([]string{"-memcached-timeout", memcachedTimeout}, args...)...)
}

func readLine(t *testing.T, r *bufio.Reader, want string) {
	t.Helper()
	line, err := r.ReadString('\n')
	if got := strings.TrimSuffix(line, "\r\n"); err != nil || got != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}

// An answer is a response, read to its end.
type answer struct {
	*http.Response
	body string
}
