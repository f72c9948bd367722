// Package needs finds what a test needs beside Go, or skips the test: but where
// an environment variable says that all of it is to be there, as in CI, the test
// fails instead, so that a build can't pass by testing nothing.
package needs

import (
	"os"
	"os/exec"
	"testing"
)

// Program returns the path of a program. A test that needs it fails for want of
// it where the environment variable require is set, and is skipped elsewhere.
func Program(t testing.TB, require, name string) (path string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, require, err)
	}
	return path
}

// Missing ends a test for want of something, as Program does.
func Missing(t testing.TB, require string, err error) {
	t.Helper()
	if os.Getenv(require) != "" {
		t.Fatalf("%s is set, but: %v", require, err)
	}
	t.Skipf("%v", err)
}
