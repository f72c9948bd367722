package child

import (
	"os/exec"
	"syscall"
)

// endWithParent has the process killed when this one ends without its cleanup:
// in a panic, or at go test's timeout.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
