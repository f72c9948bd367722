package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
	"github.com/coatcheck/coatcheck/session/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, nodes := range map[string]func(t *testing.T) []string{
		"one node": func(t *testing.T) []string { return []string{memcachedtest.Shared(t)} },
		"three nodes": func(t *testing.T) []string {
			return []string{
				"a=" + memcachedtest.Start(t).Addr(),
				"b=" + memcachedtest.StartUnix(t).Addr(),
				"c=" + memcachedtest.Start(t).Addr(),
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := memcached.Config{Nodes: nodes(t), Timeout: 5 * time.Second} // the machine may be busy
			storetest.Run(t, func(t *testing.T) session.Store { return open(t, cfg) })
		})
	}
}

func TestZeroStoreFails(t *testing.T) {
	t.Parallel()
	for name, call := range methods {
		unknown(t, call(t.Context(), new(memcached.Store), name, time.Hour))
	}
	if new(memcached.Store).Available("k") {
		t.Error("a zero store is available")
	}
	if err := new(memcached.Store).Close(); err != nil {
		t.Error(err)
	}
}

func TestClosedStoreFails(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	s := open(t, memcached.Config{Nodes: []string{server.Addr()}})
	if err := s.Create(t.Context(), "k", nil, time.Hour); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	for name, call := range methods {
		err := call(t.Context(), s, "k", time.Hour)
		unknown(t, err)
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v, want net.ErrClosed", name, err)
		}
	}
}

// What an observer may well do when a node goes down, while the store is closed.
func TestObserverChangesNodesDuringClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s *memcached.Store
		s = open(t, memcached.Config{Nodes: []string{"a=a.example:1", "b=b.example:2"}, DialContext: neverConnects,
			Observe: func(context.Context, session.Event) {
				<-time.After(time.Second)
				s.SetNodes([]string{"a=a.example:1"}, nil)
			}})
		await.Together(10, func(i int) { s.Get(t.Context(), fmt.Sprint(i)) })
		wants(t, s.Close(), nil) // the bubble would be deadlocked
	})
}

func TestIllegalArgumentsAreNotSent(t *testing.T) {
	t.Parallel()
	f := &fake{answer: func(int, string) string { return "STORED\r\n" }}
	s := f.openUnhurried(t)
	for what, key := range map[string]string{
		"empty": "", "251 bytes": strings.Repeat("k", 251), "space": "a b", "newline": "a\r\nflush_all\r\nb",
		"zero byte": "a\x00", "DEL": "a\x7f", "beyond ASCII": "ä", "tab": "a\tb",
	} {
		for name, call := range methods {
			t.Run(fmt.Sprintf("M2 %s with a key that is or has: %s", name, what), func(t *testing.T) {
				unknown(t, call(t.Context(), s, key, time.Hour))
			})
		}
	}
	for _, name := range []string{"Create", "Update"} {
		for _, ttl := range []time.Duration{0, -1, -time.Hour} {
			t.Run(fmt.Sprintf("M4 %s for %v", name, ttl), func(t *testing.T) {
				unknown(t, methods[name](t.Context(), s, "k", ttl))
			})
		}
	}
	t.Run("M3 Update of version 0", func(t *testing.T) {
		if err := s.Update(t.Context(), "k", nil, 0, time.Hour); !errors.Is(err, session.ErrConflict) {
			t.Errorf("%v, want ErrConflict", err)
		}
	})
	if sent := f.sent(); len(sent) > 0 {
		t.Errorf("sent %q", sent)
	}
}

func TestWritesAreConditional(t *testing.T) {
	t.Parallel()
	f := &fake{answer: func(int, string) string { return "STORED\r\n" }}
	s := f.openUnhurried(t)
	if err := s.Create(t.Context(), "k", []byte("one"), time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), "k", []byte("two"), 7, time.Hour); err != nil {
		t.Fatal(err)
	}
	t.Run("M3 create is add, update is cas", func(t *testing.T) {
		want := []string{"add k 0 3602 3", "cas k 0 3602 3 7"}
		if got := f.sent(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("sent %q, want %q", got, want)
		}
	})
}
