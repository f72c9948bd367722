package memcachedtest_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// The text of the package quotes these tests.

func TestWhatAServerIsAskedAndHolds(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	store, err := memcached.New(memcached.Config{Nodes: []string{server.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()

	if err := store.Create(t.Context(), "key", []byte("value"), time.Hour); err != nil {
		t.Fatal(err)
	}
	gets := server.Stat(t, "cmd_get")
	item := server.Dump(t)["key"] // which gets it
	if string(item.Value) != "value" || time.Until(item.Expires) < 50*time.Minute || gets != 0 {
		t.Errorf("%q until %v, after %d gets", item.Value, item.Expires, gets)
	}
	if n := server.Stats(t, "items")["items:1:number"]; n != "1" {
		t.Errorf("%s items in the smallest class", n)
	}
}

func TestHowAServerFails(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	store, err := memcached.New(memcached.Config{Nodes: []string{server.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Create(t.Context(), "key", nil, time.Hour); err != nil {
		t.Fatal(err)
	}

	server.Pause()
	if _, _, err := store.Get(t.Context(), "key"); err == nil {
		t.Error("a paused server has answered")
	}
	server.Resume()
	if _, ok := server.Dump(t)["key"]; !ok {
		t.Error("it has forgotten what it held")
	}

	server.Stop()
	server.Restart() // where it was, and empty
	if n := len(server.Dump(t)); n != 0 {
		t.Errorf("%d items are left", n)
	}
}

func TestWarmRestart(t *testing.T) {
	t.Parallel()
	server := memcachedtest.StartUnix(t, "-e", memcachedtest.MemoryFile(t))
	store, err := memcached.New(memcached.Config{Nodes: []string{server.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Create(t.Context(), "key", nil, time.Hour); err != nil {
		t.Fatal(err)
	}

	before := server.PID()
	server.Shutdown()
	server.Restart()
	if _, ok := server.Dump(t)["key"]; !ok || server.PID() == before {
		t.Errorf("process %d, after %d, has the item: %t", server.PID(), before, ok)
	}
}

func TestServerWithPasswords(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "passwords")
	if err := os.WriteFile(file, []byte("user:password\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dial, err := memcached.Authenticated(nil, "user", "password")
	if err != nil {
		t.Fatal(err)
	}
	server := memcachedtest.Config{DialContext: dial}.Start(t, "-Y", file)
	store, err := memcached.New(memcached.Config{Nodes: []string{server.Addr()}, DialContext: dial})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Create(t.Context(), "key", nil, time.Hour); err != nil {
		t.Error(err)
	}
}

func TestServerForAll(t *testing.T) {
	t.Parallel()
	store, err := memcached.New(memcached.Config{Nodes: []string{memcachedtest.Shared(t)}})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if health := store.Health(t.Context()); health[0].Err != nil {
		t.Error(health[0].Err)
	}
}
