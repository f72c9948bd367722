package memcached_test

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

func TestSocketThatIsMissing(t *testing.T) {
	t.Parallel()
	server := memcachedtest.StartUnix(t)
	s := open(t, memcached.Config{Nodes: []string{"n=" + server.Addr()}, Timeout: 5 * time.Second})
	wants(t, s.Create(t.Context(), "k", nil, time.Hour), nil)
	server.Stop()
	path := strings.TrimPrefix(server.Addr(), "unix:")
	if err := os.Remove(path); err != nil { // a process that is killed leaves it behind
		t.Fatal(err)
	}
	for name, call := range methods {
		// The first may be an Update, which is sent once and finds that the
		// connection is over.
		call(t.Context(), s, "k", time.Hour)
		err := call(t.Context(), s, "k", time.Hour)
		unknown(t, err)
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v does not say that there is no %s", name, err, path)
		}
	}
	if s.Available("k") {
		t.Error("the node counts as available")
	}
	server.Restart()
	t.Run("M11 a socket that is back is found", func(t *testing.T) {
		await.Until(t, "an answer", func() bool { return s.Create(t.Context(), "k", nil, time.Hour) == nil })
	})
}

// The file that a killed process leaves behind leads nowhere.
func TestSocketWithoutAProcess(t *testing.T) {
	t.Parallel()
	server := memcachedtest.StartUnix(t)
	server.Stop()
	if _, err := os.Stat(strings.TrimPrefix(server.Addr(), "unix:")); err != nil {
		t.Fatal(err)
	}
	s := open(t, memcached.Config{Nodes: []string{server.Addr()}, Timeout: 5 * time.Second})
	for _, call := range methods {
		unknown(t, call(t.Context(), s, "k", time.Hour))
	}
	if s.Available("k") {
		t.Error("the node counts as available")
	}
}

func TestSocketPathLength(t *testing.T) {
	t.Parallel()
	for length, want := range map[int][]string{107: nil, 108: {"memcached.Config.Nodes[0]"}} {
		path := "/" + strings.Repeat("s", length-1)
		if got := fields(mistakes(memcached.Config{Nodes: []string{"unix:" + path}})); !slices.Equal(got, want) {
			t.Errorf("a path of %d bytes: mistakes in %q, want %q", length, got, want)
		}
	}
}
