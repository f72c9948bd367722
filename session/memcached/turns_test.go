package memcached_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// A thousand goroutines, and a memcached that turns the 65th connection away.
func TestCallsQueueForConnections(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t, "-c", "64")
	s := open(t, memcached.Config{Nodes: []string{server.Addr()}, Timeout: 20 * time.Second})
	wants(t, s.Create(t.Context(), "k", []byte("value"), time.Hour), nil)
	together(1000, func(i int) {
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
	if n := server.Stat(t, "total_connections"); n > memcached.DefaultMaxConns+10 { // some ask for these numbers
		t.Errorf("%d connections were made, the limit is %d", n, memcached.DefaultMaxConns)
	}
}

func TestQueue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		answer func(int, string) string
		cancel time.Duration // of the second call; 0: never
		after  time.Duration // the second call ends
		want   error
	}{
		{"waits for its turn", func(int, string) string { <-time.After(10 * time.Millisecond); return "DELETED\r\n" }, 0, 20 * time.Millisecond, nil},
		{"ends with its context", stalls, 5 * time.Millisecond, 5 * time.Millisecond, context.Canceled},
		{"ends when the node goes down", stalls, 0, 250 * time.Millisecond, errUnknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{answer: test.answer}
				s := open(t, memcached.Config{Nodes: []string{"fake.example:11211"}, DialContext: f.dial, MaxConns: 1})
				defer s.Close()
				start := time.Now()
				go s.Delete(t.Context(), "first")
				synctest.Wait()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if test.cancel > 0 {
					time.AfterFunc(test.cancel, cancel)
				}
				wants(t, s.Delete(ctx, "second"), test.want)
				if took := time.Since(start); took != test.after {
					t.Errorf("it ended after %v, want %v", took, test.after)
				}
				<-time.After(time.Second)
			})
		})
	}
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
