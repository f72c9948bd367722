package drills_test

import (
	"os"
	"path/filepath"
	"testing"
)

// memoryFile is what memcached -e keeps its items in: in memory where that is to
// be had as a directory.
func memoryFile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "drills") //nolint:usetesting // see above
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "items")
}
