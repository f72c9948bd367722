package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// Idle connections die with a restart. No request pays for that.
func TestRestart(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(t *testing.T, s *memcached.Store){
		"M9 Get after a restart": func(t *testing.T, s *memcached.Store) {
			if _, _, err := s.Get(t.Context(), "k"); !errors.Is(err, session.ErrNotFound) {
				t.Errorf("%v, want ErrNotFound", err)
			}
		},
		"M9 Create after a restart": func(t *testing.T, s *memcached.Store) {
			if err := s.Create(t.Context(), "k", []byte("new"), time.Hour); err != nil {
				t.Error(err)
			}
		},
		"M9 Delete after a restart": func(t *testing.T, s *memcached.Store) {
			if err := s.Delete(t.Context(), "k"); err != nil {
				t.Error(err)
			}
		},
		"M9 16 Gets at once after a restart": func(t *testing.T, s *memcached.Store) {
			await.Together(16, func(int) {
				if _, _, err := s.Get(t.Context(), "k"); !errors.Is(err, session.ErrNotFound) {
					t.Errorf("%v, want ErrNotFound", err)
				}
			})
		},
		"M13 an Update after a restart is not sent twice": func(t *testing.T, s *memcached.Store) {
			unknown(t, s.Update(t.Context(), "k", []byte("new"), 1, time.Hour))
			if err := s.Update(t.Context(), "k", []byte("new"), 1, time.Hour); !errors.Is(err, session.ErrNotFound) {
				t.Errorf("the next one: %v, want ErrNotFound", err)
			}
		},
	} {
		for transport, start := range transports {
			t.Run(name+" over "+transport, func(t *testing.T) {
				t.Parallel()
				server, cfg := start(t)
				s := open(t, cfg)
				if err := s.Create(t.Context(), "k", []byte("old"), time.Hour); err != nil {
					t.Fatal(err)
				}
				warm(t, server, s)
				server.Restart()
				first(t, s)
				if !s.Available("k") {
					t.Error("the node does not count as available")
				}
			})
		}
	}
}

// warm makes calls at once until there is a number of idle connections.
func warm(t *testing.T, server *memcachedtest.Server, s *memcached.Store) {
	t.Helper()
	before := server.Stat(t, "total_connections")
	await.Until(t, "several idle connections", func() bool {
		await.Together(16, func(int) { wants(t, s.Delete(t.Context(), "absent"), nil) })
		return server.Stat(t, "total_connections") > before+4
	})
}

// What a second attempt may and may not report. The node serves one call on the
// first connection and hangs up on the next: the connection was dead before.
func TestSecondAttempt(t *testing.T) {
	t.Parallel()
	const first = "gets warm"
	for _, test := range []struct {
		name string
		call string
		// answers of the node to the call itself
		answers []string
		want    error // nil: success; errUnknown: the outcome is unknown
	}{
		{"M9 a Get is made again", "Get", []string{hangUp, found("k", "v", 7)}, nil},
		{"M9 a Get's miss is one", "Get", []string{hangUp, "END\r\n"}, session.ErrNotFound},
		{"M9 a Get is made twice at most", "Get", []string{hangUp, hangUp}, errUnknown},
		{"M9 a Delete is made again", "Delete", []string{hangUp, "DELETED\r\n"}, nil},
		{"M9 a Delete may find its own work done", "Delete", []string{hangUp, "NOT_FOUND\r\n"}, nil},
		{"M9 a Delete is made twice at most", "Delete", []string{hangUp, hangUp}, errUnknown},
		{"M9 a Create is made again", "Create", []string{hangUp, "STORED\r\n"}, nil},
		{"M13 a Create may meet its own first attempt", "Create", []string{hangUp, "NOT_STORED\r\n"}, errUnknown},
		{"M13 a Create that got no answer is not certain to be too large", "Create", []string{hangUp, tooLarge}, errUnknown},
		{"M9 a Create is made twice at most", "Create", []string{hangUp, hangUp}, errUnknown},
		{"M13 an Update is made once", "Update", []string{hangUp}, errUnknown},
		{"M13 half an answer is not asked for again", "Create", []string{"STO" + hangUp}, errUnknown},
		{"M9 silence is not asked again", "Get", []string{silence}, errUnknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := 0
				f := &fake{answer: func(_ int, command string) string {
					if command == first {
						return "END\r\n"
					}
					n++
					return test.answers[min(n, len(test.answers))-1]
				}}
				s := f.open(t)
				defer s.Close()
				if _, _, err := s.Get(t.Context(), "warm"); !errors.Is(err, session.ErrNotFound) {
					t.Fatal(err)
				}
				wants(t, methods[test.call](t.Context(), s, "k", time.Hour), test.want)
				if got := len(f.sent()) - 1; got != len(test.answers) {
					t.Errorf("sent %d times, want %d: %q", got, len(test.answers), f.sent())
				}
			})
		})
	}
}

// A fresh connection that fails is not one that had died before.
func TestFreshConnectionIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for name, call := range methods {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{answer: func(int, string) string { return hangUp }}
			unknown(t, call(t.Context(), f.openUnhurried(t), "k", time.Hour))
			if n := len(f.sent()); n != 1 {
				t.Errorf("sent %d times", n)
			}
		})
	}
}

// A caller who leaves during the second attempt gets his context's error.
func TestContextEndsTheSecondAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(conn int, command string) string {
			switch {
			case command == "gets warm":
				return "END\r\n"
			case conn == 0:
				return hangUp
			default:
				return silence
			}
		}}
		s := f.openUnhurried(t)
		defer s.Close()
		s.Get(t.Context(), "warm")
		ctx, cancel := cancelAfter(t.Context(), time.Millisecond)
		defer cancel()
		wants(t, s.Create(ctx, "k", nil, time.Hour), context.Canceled)
	})
}

// What was never written whole can't have been carried out: then the second
// attempt's answer is certain.
func TestUnsentCreateIsCertain(t *testing.T) {
	t.Parallel()
	f := &fake{closed: make(chan struct{}, 2), answer: func(_ int, command string) string {
		if strings.HasPrefix(command, "gets") {
			return "END\r\n" + hangUp
		}
		return "NOT_STORED\r\n"
	}}
	s := f.openUnhurried(t)
	if _, _, err := s.Get(t.Context(), "warm"); !errors.Is(err, session.ErrNotFound) {
		t.Fatal(err)
	}
	<-f.closed
	wants(t, s.Create(t.Context(), "k", nil, time.Hour), session.ErrExists)
	if sent := f.sent(); len(sent) != 2 {
		t.Errorf("sent %q, want one get and one add", sent)
	}
}

// One dead connection says that all are: the rest is not tried one by one.
func TestDeadConnectionDropsTheOthers(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	var mu sync.Mutex
	dials := 0
	s := open(t, memcached.Config{Nodes: []string{server.Addr()}, Timeout: 5 * time.Second,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			mu.Lock()
			dials++
			mu.Unlock()
			return new(net.Dialer).DialContext(ctx, network, address)
		}})
	if err := s.Create(t.Context(), "k", nil, time.Hour); err != nil {
		t.Fatal(err)
	}
	warm(t, server, s)
	server.Restart()
	before := dials
	for i := range 10 {
		unanswered := s.Update(t.Context(), fmt.Sprint(i), nil, 1, time.Hour)
		if i > 0 && !errors.Is(unanswered, session.ErrNotFound) {
			t.Errorf("Update %d: %v, want ErrNotFound", i, unanswered)
		}
	}
	if n := dials - before; n != 1 {
		t.Errorf("%d new connections, want 1", n)
	}
}
