// Package child runs programs that end with this one, and reads what they write
// to stderr.
package child

import (
	"os/exec"
	"runtime"
)

// Start starts a program, and closes exited when it has ended, its outcome in
// cmd.ProcessState. What endWithParent asks of the system is about the thread
// that started the program, so that thread waits for it, and does nothing else.
func Start(cmd *exec.Cmd) (exited <-chan struct{}, err error) {
	endWithParent(cmd)
	ended := make(chan struct{})
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // as said, it is in cmd.ProcessState
		}
	}()
	return ended, <-started
}
