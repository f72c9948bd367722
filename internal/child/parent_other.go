//go:build !linux

package child

import "os/exec"

// endWithParent does nothing: other systems than Linux can't be asked.
func endWithParent(*exec.Cmd) {}
