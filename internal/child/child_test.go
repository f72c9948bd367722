package child_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/child"
)

// role is what this test binary does when it is run as a child.
const role = "COATCHECK_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "waits":
		fmt.Fprint(os.Stderr, "it waits\nand has mo")
		time.AfterFunc(time.Minute, func() { os.Exit(1) })
		select {}
	case "ends":
		fmt.Fprintln(os.Stderr, "it ends")
		os.Exit(3)
	case "leaves a child":
		cmd := exec.Command(os.Args[0])
		cmd.Env, cmd.Stdout = append(os.Environ(), role+"=waits"), os.Stdout
		if _, err := child.Start(cmd); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(0)
	}
}

func as(does string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"="+does)
	return cmd
}

func TestRun(t *testing.T) {
	t.Parallel()
	t.Run("one that waits is read while it runs, and killed", func(t *testing.T) {
		t.Parallel()
		p := child.Run(t, as("waits"))
		if line := p.Log.Await(t, "wait"); line != "it waits\n" {
			t.Errorf("the line is %q", line)
		}
		select {
		case <-p.Exited:
			t.Error("it has ended")
		default:
		}
		p.Kill()
		if text := p.Log.String(); text != "it waits\nand has mo" {
			t.Errorf("it wrote %q", text)
		}
	})
	t.Run("one that ends is asked how", func(t *testing.T) {
		t.Parallel()
		p := child.Run(t, as("ends"))
		if code := p.ExitCode(t); code != 3 {
			t.Errorf("exit code %d, want 3", code)
		}
		wantEnded(t, p.Log, "it waits", "it ends\n")
		p.Kill() // does nothing
	})
	t.Run("it ends with its test", func(t *testing.T) {
		t.Parallel()
		var p *child.Process
		t.Run("which runs it", func(t *testing.T) { p = child.Run(t, as("waits")) })
		select {
		case <-p.Exited:
		default:
			t.Error("it is still there")
		}
	})
}

func TestStartSaysWhyNot(t *testing.T) {
	t.Parallel()
	exited, err := child.Start(exec.Command("no-such-program"))
	if err == nil {
		t.Error("no error")
	}
	<-exited
}

// failing notes how a test fails, and ends it.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestAwait(t *testing.T) {
	t.Parallel()
	t.Run("a line that comes in pieces", func(t *testing.T) {
		t.Parallel()
		j, lines := child.NewJournal(), make(chan string)
		go func() { lines <- j.Await(t, "b") }()
		for _, piece := range []string{"a\nab", "c", "\n"} {
			io.WriteString(j, piece)
		}
		if line := <-lines; line != "abc\n" {
			t.Errorf("the line is %q", line)
		}
	})
	t.Run("a line that can't come any more", func(t *testing.T) {
		t.Parallel()
		j := child.NewJournal()
		io.WriteString(j, "half a line")
		j.End()
		wantEnded(t, j, "half", "half a line")
	})
}

// wantEnded wants Await to say that there is no such line, and no more to come,
// but the text.
func wantEnded(t *testing.T, j *child.Journal, line, text string) {
	t.Helper()
	f := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		j.Await(f, line)
	}()
	<-done
	if !strings.HasPrefix(f.said, "ended") || !strings.Contains(f.said, text) {
		t.Errorf("it says %q", f.said)
	}
}
