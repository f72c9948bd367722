package browser_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// scratch is where the example is built to.
var scratch string

// example builds the program, once.
var example = sync.OnceValues(func() (path string, err error) {
	if scratch, err = os.MkdirTemp("", "coatcheck-browser-"); err != nil {
		return "", err
	}
	path = filepath.Join(scratch, "example")
	if out, err := exec.Command("go", "build", "-C", "..", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// serve runs the example, as a process of its own, until the test ends. It
// returns its origin, such as http://127.0.0.1:1234.
func serve(t *testing.T, args ...string) (origin string) {
	t.Helper()
	browserContext(t) // without one there is nobody to serve
	path, err := example()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "COATCHECK_") })
	output, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = stderr
	exited, err := run(cmd)
	stderr.Close() // the process has its own
	if err != nil {
		t.Fatal(err)
	}
	log := newJournal(output)
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-exited
		if text := log.all(); t.Failed() {
			t.Logf("the example's log:\n%s", text)
		}
	})
	return log.origin(t)
}

// run starts cmd, and closes exited when it has ended. What endWithParent asks
// of the system is about the thread that started the process, so that thread
// waits for it, and does nothing else.
func run(cmd *exec.Cmd) (exited chan struct{}, err error) {
	endWithParent(cmd)
	exited = make(chan struct{})
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(exited)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // it is killed
		}
	}()
	return exited, <-started
}

// A journal is what a process writes to stderr.
type journal struct {
	origins chan string   // where it says that it listens
	ended   chan struct{} // closed at its end
	text    strings.Builder
}

func newJournal(r io.ReadCloser) *journal {
	j := &journal{origins: make(chan string, 1), ended: make(chan struct{})}
	go func() {
		defer close(j.ended)
		defer r.Close()
		for lines := bufio.NewScanner(r); lines.Scan(); {
			j.text.WriteString(lines.Text() + "\n")
			if _, url, ok := strings.Cut(lines.Text(), "msg=listening url="); ok {
				j.origins <- url
			}
		}
	}()
	return j
}

func (j *journal) origin(t *testing.T) string {
	t.Helper()
	select {
	case url := <-j.origins:
		return url
	case <-j.ended:
		t.Fatalf("the example ended:\n%s", j.all())
	case <-time.After(patience):
		t.Fatalf("the example does not listen after %v", patience)
	}
	return ""
}

// all is everything that the process wrote until it ended.
func (j *journal) all() string {
	<-j.ended
	return j.text.String()
}
