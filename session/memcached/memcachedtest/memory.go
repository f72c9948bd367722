package memcachedtest

import (
	"os"
	"path/filepath"
	"testing"
)

// MemoryFile returns a path for a server's file of items, as in
// Start(t, "-e", MemoryFile(t)), that is gone after the test. It is in memory
// where that is to be had as a directory: a server writes there at random.
func MemoryFile(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "memcachedtest") //nolint:usetesting // see above
	if err != nil {
		return filepath.Join(t.TempDir(), "items")
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "items")
}
