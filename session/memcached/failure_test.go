package memcached_test

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// What gomemcache answers to a call, and what the store makes of it.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		call   string
		answer string
		want   error
	}{
		{"Get", found("k", "v", 1), nil},
		{"Get", found("k", "v", math.MaxInt64), nil},
		{"Get", "END\r\n", session.ErrNotFound},
		{"Get", found("k", "v", 1) + "END\r\n", errUnknown}, // more than was asked for
		{"Get", found("another", "v", 7), errUnknown},
		{"Get", found("K", "v", 7), errUnknown},
		{"Get", found("k", "v", 0), errUnknown},
		{"Get", found("k", "v", math.MaxInt64+1), errUnknown},
		{"Get", "VALUE k 0 1\r\nv\r\nEND\r\n", errUnknown}, // no version
		{"Get", "VALUE k 0 1 7\r\nvvvv\r\nEND\r\n", errUnknown},
		{"Get", "SERVER_ERROR out of memory\r\n", errUnknown},
		{"Get", tooLarge, errUnknown},
		{"Create", "STORED\r\n", nil},
		{"Create", "NOT_STORED\r\n", session.ErrExists},
		{"Create", tooLarge, session.ErrTooLarge},
		{"Create", "SERVER_ERROR out of memory storing object\r\n", errUnknown},
		{"Create", "ERROR Too many open connections\r\n", errUnknown},
		{"Update", "STORED\r\n", nil},
		{"Update", "EXISTS\r\n", session.ErrConflict},
		{"Update", "NOT_FOUND\r\n", session.ErrNotFound},
		{"Update", "NOT_STORED\r\n", session.ErrNotFound},
		{"Update", tooLarge, session.ErrTooLarge},
		{"Update", "SERVER_ERROR out of memory storing object\r\n", errUnknown},
		{"Delete", "DELETED\r\n", nil},
		{"Delete", "NOT_FOUND\r\n", nil},
		{"Delete", "CLIENT_ERROR bad command line format\r\n", errUnknown},
	} {
		t.Run(fmt.Sprintf("M3 %s %q", test.call, test.answer), func(t *testing.T) {
			t.Parallel()
			f := &fake{answer: func(int, string) string { return test.answer }}
			s := f.openUnhurried(t)
			wants(t, methods[test.call](t.Context(), s, "k", time.Hour), test.want)
		})
	}
}

// After an answer to another question the connection is out of step. It must
// not serve the next call.
func TestAnswerToAnotherKeyEndsTheConnection(t *testing.T) {
	t.Parallel()
	f := &fake{answer: func(conn int, _ string) string {
		if conn == 0 {
			return found("another", "somebody else's", 7)
		}
		return found("k", "mine", 8)
	}}
	s := f.openUnhurried(t)
	value, version, err := s.Get(t.Context(), "k")
	unknown(t, err)
	if value != nil || version != 0 {
		t.Errorf("it came with %q, version %d", value, version)
	}
	if value, _, err := s.Get(t.Context(), "k"); err != nil || string(value) != "mine" {
		t.Errorf("the next call: %q, %v", value, err)
	}
}

// A length is not believed before the value has come.
func TestLengthWithoutValueTakesNoMemory(t *testing.T) {
	f := &fake{answer: func(int, string) string { return "VALUE k 0 1073741824 7\r\nv" + hangUp }}
	s := f.openUnhurried(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := s.Get(t.Context(), "k")
	runtime.ReadMemStats(&after)
	unknown(t, err)
	if n := after.TotalAlloc - before.TotalAlloc; n > 100<<20 {
		t.Errorf("it took %d MiB", n>>20)
	}
}

func TestServerWithoutVersionsIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, memcached.Config{Nodes: []string{memcachedtest.Start(t, "-C").Addr()}})
	if err := s.Create(t.Context(), "k", []byte("v"), time.Hour); err != nil {
		t.Fatal(err)
	}
	_, _, err := s.Get(t.Context(), "k")
	unknown(t, err)
	if err == nil || !strings.Contains(err.Error(), "-C") {
		t.Errorf("%v does not say what to do", err)
	}
}

// Nodes need not be up when the store is made, and come back by themselves.
func TestNodeThatIsDownAtFirst(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	server.Stop()
	s := open(t, memcached.Config{Nodes: []string{"the-node=" + server.Addr()}})
	for name, call := range methods {
		err := call(t.Context(), s, "k", time.Hour)
		unknown(t, err)
		if err == nil || !strings.Contains(err.Error(), "the-node") {
			t.Errorf("%s: %v does not name the node", name, err)
		}
	}
	if s.Available("k") {
		t.Error("a node that refuses connections is available")
	}
	server.Restart()
	await.Until(t, "the node to be found again", func() bool { return s.Create(t.Context(), "k", nil, time.Hour) == nil })
	if !s.Available("k") {
		t.Error("a node that answers is not available")
	}
}

// Connected, and silent: how most nodes really fail.
func TestPausedNode(t *testing.T) {
	t.Parallel()
	const timeout = 100 * time.Millisecond
	server := memcachedtest.Start(t)
	s := open(t, memcached.Config{Nodes: []string{server.Addr()}, Timeout: timeout})
	if err := s.Create(t.Context(), "k", nil, time.Hour); err != nil {
		t.Fatal(err)
	}
	server.Pause()
	timed := func(name string) time.Duration {
		start := time.Now()
		unknown(t, methods[name](t.Context(), s, "k", time.Hour))
		return time.Since(start)
	}
	t.Run("M10 a paused node costs the first call the timeout", func(t *testing.T) {
		if took := timed("Update"); took < timeout/2 || took > 10*timeout {
			t.Errorf("it took %v, the timeout is %v", took, timeout)
		}
	})
	t.Run("M10 a paused node costs later calls almost nothing", func(t *testing.T) {
		var took []time.Duration
		for range 25 {
			for name := range methods {
				took = append(took, timed(name))
			}
		}
		slices.Sort(took)
		if median := took[len(took)/2]; median > 5*time.Millisecond {
			t.Errorf("half of them take more than %v", median)
		}
		if s.Available("k") {
			t.Error("the node counts as available")
		}
	})
	server.Resume()
	t.Run("M11 a node that goes on is found again", func(t *testing.T) {
		await.Until(t, "an answer", func() bool { return s.Create(t.Context(), "another", nil, time.Hour) == nil })
	})
}

// Each node fails alone.
func TestOneNodeDown(t *testing.T) {
	t.Parallel()
	servers := map[string]*memcachedtest.Server{"a": memcachedtest.Start(t), "b": memcachedtest.Start(t), "c": memcachedtest.Start(t)}
	var nodes []string
	for name, server := range servers {
		nodes = append(nodes, name+"="+server.Addr())
	}
	s := open(t, memcached.Config{Nodes: nodes, Timeout: 5 * time.Second})
	keys := make(map[string]string) // to the name of the node that has it
	for i := range 60 {
		if err := s.Create(t.Context(), fmt.Sprint(i), []byte("value"), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	for name, server := range servers {
		for key := range server.Dump(t) {
			keys[key] = name
		}
	}

	servers["b"].Stop()
	t.Run("M11 a node down: the other nodes' keys work", func(t *testing.T) {
		for key, node := range keys {
			value, _, err := s.Get(t.Context(), key)
			if node == "b" {
				unknown(t, err)
			} else if err != nil || string(value) != "value" {
				t.Errorf("key on node %s: %q, %v", node, value, err)
			}
			if got, want := s.Available(key), node != "b"; got != want {
				t.Errorf("Available is %v for a key on node %s", got, node)
			}
		}
	})
	t.Run("M11 a node down: no key moves to another", func(t *testing.T) {
		for key, node := range keys {
			if node == "b" {
				unknown(t, s.Create(t.Context(), key, nil, time.Hour))
			}
		}
		for _, name := range []string{"a", "c"} {
			for key := range servers[name].Dump(t) {
				if keys[key] != name {
					t.Errorf("key of node %s is on node %s", keys[key], name)
				}
			}
		}
	})
	servers["b"].Restart()
	for key, node := range keys {
		if node == "b" {
			await.Until(t, "node b to be found again", func() bool { return s.Available(key) })
		}
	}
	t.Run("M11 a node back: its keys work", func(t *testing.T) {
		for key, node := range keys {
			if node == "b" {
				wants(t, s.Create(t.Context(), key, nil, time.Hour), nil)
			}
		}
	})
}
