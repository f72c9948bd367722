package memcached_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// A thousand goroutines, and a memcached that would turn some of their connections
// away. What has them queue before is the store's own limit: memcached counts all
// of its descriptors against -c, so that with 64 it has room for fewer than 64
// connections, and for more than DefaultMaxConns.
func TestCallsQueueForConnections(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		maxConns int // 0: the default, 32
		allowed  string
		most     int
	}{
		{"by default", 0, "64", memcached.DefaultMaxConns},
		{"64 connections", 64, "128", 64},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := memcachedtest.Start(t, "-c", test.allowed)
			s := open(t, memcached.Config{Nodes: []string{server.Addr()}, MaxConns: test.maxConns, MaxIdleConns: 64, Timeout: 20 * time.Second})
			await.Together(1000, func(i int) {
				key := fmt.Sprint("k", i)
				wants(t, s.Create(t.Context(), key, []byte("value"), time.Hour), nil)
				_, version, err := s.Get(t.Context(), key)
				wants(t, err, nil)
				wants(t, s.Update(t.Context(), key, nil, version, time.Hour), nil)
				wants(t, s.Delete(t.Context(), key), nil)
			})
			if n := server.Stat(t, "rejected_connections"); n != 0 {
				t.Errorf("%d connections were turned away", n)
			}
			if n := server.Stat(t, "total_connections"); n > test.most+10 { // some ask for these numbers
				t.Errorf("%d connections were made, the limit is %d", n, test.most)
			}
		})
	}
}

func TestQueue(t *testing.T) {
	t.Parallel()
	const begins = 100 * time.Millisecond // the second call; the first one at 0
	for _, test := range []struct {
		name    string
		answer  func(int, string) string
		meddles func(s *memcached.Store, leave func())
		ends    time.Duration // the second call, since the first one began
		want    error
	}{
		{"waits for its turn", func(int, string) string { <-time.After(150 * time.Millisecond); return "DELETED\r\n" }, nil, 300 * time.Millisecond, nil},
		{"ends with its context", stalls, func(_ *memcached.Store, leave func()) { leave() }, 200 * time.Millisecond, context.Canceled},
		{"ends when the node goes down", stalls, nil, 250 * time.Millisecond, errUnknown},
		{"ends when the store is closed", stalls, func(s *memcached.Store, _ func()) { s.Close() }, 200 * time.Millisecond, errUnknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{answer: test.answer}
				s := open(t, memcached.Config{Nodes: []string{"fake.example:11211"}, DialContext: f.dial, MaxConns: 1})
				defer s.Close()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				start := time.Now()
				go s.Delete(t.Context(), "first")
				if test.meddles != nil {
					time.AfterFunc(200*time.Millisecond, func() { test.meddles(s, cancel) })
				}
				<-time.After(begins)
				wants(t, s.Delete(ctx, "second"), test.want)
				if at := time.Since(start); at != test.ends {
					t.Errorf("it ended at %v, want %v", at, test.ends)
				}
				if n := len(f.sent()); n != 1 && test.want != nil {
					t.Errorf("sent %q", f.sent())
				}
				<-time.After(time.Second)
			})
		})
	}
}

// Of calls that begin just when the node goes down, none is sent once it is known
// to be: neither those that find it down, nor those that a turn comes free for.
func TestQueueOfANodeThatGoesDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{probed: true, answer: stalls}
		s := open(t, memcached.Config{Nodes: []string{"fake.example:11211"}, DialContext: f.dial, MaxConns: 1})
		defer s.Close()
		await.Together(500, func(i int) {
			if i > 0 {
				<-time.After(memcached.DefaultTimeout)
			}
			unknown(t, s.Delete(t.Context(), "k"))
		})
		deletes := slices.DeleteFunc(f.sent(), func(command string) bool { return command != "delete k" })
		if len(deletes) != 1 {
			t.Errorf("sent %d times", len(deletes))
		}
	})
}

// More than a node can do is refused after the timeout, and the node stays up.
func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := new(observer)
		f := &fake{answer: func(int, string) string { <-time.After(100 * time.Millisecond); return "DELETED\r\n" }}
		s := open(t, memcached.Config{Nodes: []string{"fake.example:11211"}, DialContext: f.dial, MaxConns: 1, Observe: o.observe})
		defer s.Close()
		results := make(chan error, 5)
		for range 5 {
			go func() { results <- s.Delete(t.Context(), "k") }()
		}
		failed := 0
		for range 5 {
			if err := <-results; err != nil {
				unknown(t, err)
				failed++
			}
		}
		if failed != 2 || !s.Available("k") || len(o.seen()) > 0 {
			t.Errorf("%d of 5 were refused, want 2; available %v, events %q", failed, s.Available("k"), o.seen())
		}
	})
}
