package child

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
)

// A Process is a program that runs until its test ends, at the latest.
type Process struct {
	Log    *Journal        // its stderr
	Exited <-chan struct{} // closed when it has ended

	cmd *exec.Cmd
}

// Run starts a program, and kills it when the test ends. If that has failed, what
// the program wrote to stderr is shown.
func Run(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Log: NewJournal(), cmd: cmd}
	cmd.Stderr = p.Log
	exited, err := Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	p.Exited = exited
	go func() {
		<-exited
		p.Log.End()
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s wrote:\n%s", cmd.Path, p.Log)
		}
	})
	return p
}

// Kill ends it as a crash would, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.Exited
}

// Signal sends it a signal.
func (p *Process) Signal(t testing.TB, sig os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// ExitCode waits until it has ended by itself.
func (p *Process) ExitCode(t testing.TB) int {
	t.Helper()
	select {
	case <-p.Exited:
	case <-time.After(await.Limit):
		t.Fatalf("it has not ended after %v:\n%s", await.Limit, p.Log)
	}
	return p.cmd.ProcessState.ExitCode()
}
