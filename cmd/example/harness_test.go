package main_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	example "github.com/coatcheck/coatcheck/cmd/example"
)

const (
	patience = 20 * time.Second

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

// A journal is a program's stderr.
type journal struct {
	mu    sync.Mutex
	text  strings.Builder
	more  chan struct{} // closed, and replaced, when there is more, or no more
	ended bool
}

func newJournal() *journal { return &journal{more: make(chan struct{})} }

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.text.Write(b)
	close(j.more)
	j.more = make(chan struct{})
	return len(b), nil
}

func (j *journal) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ended = true
	close(j.more)
	j.more = make(chan struct{})
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// await returns the first line that has the text in it.
func (j *journal) await(t *testing.T, text string) string {
	t.Helper()
	timeout := time.After(patience)
	for {
		j.mu.Lock()
		all, more, ended := j.text.String(), j.more, j.ended
		j.mu.Unlock()
		for line := range strings.Lines(all) {
			if strings.Contains(line, text) && strings.HasSuffix(line, "\n") {
				return line
			}
		}
		if ended {
			t.Fatalf("ended without a line with %q:\n%s", text, all)
		}
		select {
		case <-more:
		case <-timeout:
			t.Fatalf("no line with %q within %v:\n%s", text, patience, all)
		}
	}
}

// url is where the program says that it listens.
func (j *journal) url(t *testing.T) string {
	t.Helper()
	_, url, _ := strings.Cut(j.await(t, "msg=listening"), "url=")
	return strings.TrimSpace(url)
}

// serve runs the program in this process until the test ends, and returns its
// address.
func serve(t *testing.T, e env, args ...string) string {
	t.Helper()
	url, _ := serveLogged(t, e, args...)
	return url
}

func serveLogged(t *testing.T, e env, args ...string) (string, *journal) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	log := newJournal()
	status := make(chan int, 1)
	go func() {
		defer log.end()
		status <- example.Run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), e.get, io.Discard, log)
	}()
	t.Cleanup(func() {
		stop()
		if got := <-status; got != 0 {
			t.Errorf("exit status %d:\n%s", got, log)
		}
	})
	return log.url(t), log
}

// A process is the program as a process of its own.
type process struct {
	url    string
	log    *journal
	cmd    *exec.Cmd
	exited chan struct{}
}

// spawn starts a process that ends with the test.
func spawn(t *testing.T, e env, args ...string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "COATCHECK_") }), asProgram+"=1")
	for name, value := range e {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	p := &process{cmd: cmd, log: newJournal(), exited: make(chan struct{})}
	cmd.Stderr = p.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		_ = cmd.Wait() // its outcome is in cmd.ProcessState
		p.log.end()
	}()
	t.Cleanup(p.kill)
	p.url = p.log.url(t)
	return p
}

// kill ends it as a crash would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.exited
}

func (p *process) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

func (p *process) exitStatus(t *testing.T) int {
	t.Helper()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		t.Fatalf("still there after %v:\n%s", patience, p.log)
		return 0
	}
}

// eventually waits for a condition of which nobody tells.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(patience); !condition(); <-tick.C {
		if time.Now().After(limit) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
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
