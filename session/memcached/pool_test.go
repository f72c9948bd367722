package memcached_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

func TestConnectionsAreReusedAndBounded(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	s := open(t, memcached.Config{Nodes: []string{server.Addr()}, MaxIdleConns: 3, Timeout: 5 * time.Second})
	base := server.Stat(t, "curr_connections")
	before := server.Stat(t, "total_connections")
	for i := range 50 {
		wants(t, s.Create(t.Context(), fmt.Sprint(i), nil, time.Hour), nil)
		wants(t, s.Create(t.Context(), fmt.Sprint(i), nil, time.Hour), session.ErrExists)
		_, _, err := s.Get(t.Context(), "absent")
		wants(t, err, session.ErrNotFound)
		wants(t, s.Update(t.Context(), "0", nil, 1<<40, time.Hour), session.ErrConflict)
		wants(t, s.Delete(t.Context(), "absent"), nil)
	}
	// One is the store's, one asks for this number.
	if n := server.Stat(t, "total_connections") - before; n != 2 {
		t.Errorf("%d connections for calls one after another, want 1", n-1)
	}

	for range 5 {
		await.Together(32, func(int) {
			wants(t, s.Delete(t.Context(), "absent"), nil)
		})
	}
	await.Until(t, "at most 3 idle connections", func() bool { return server.Stat(t, "curr_connections") <= base+3 })
	s.Close()
	await.Until(t, "none after Close", func() bool { return server.Stat(t, "curr_connections") <= base })
}

func TestCallerWhoLeavesCostsOneConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: slowly}
		s := f.open(t)
		defer s.Close()
		calls := func(n int) {
			await.Together(n, func(int) { s.Delete(t.Context(), "k") })
		}
		calls(3) // leaves 3 idle connections
		ctx, cancel := cancelAfter(t.Context(), time.Millisecond)
		defer cancel()
		s.Get(ctx, "k")
		calls(2)
		if n := f.connections(); n != 3 {
			t.Errorf("%d connections were made, want the first 3 alone", n)
		}
	})
}

func TestCallUnderWayAtCloseKeepsNoConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: slowly, closed: make(chan struct{}, 1)}
		s := f.open(t)
		time.AfterFunc(time.Millisecond, func() { s.Close() })
		_, _, err := s.Get(t.Context(), "k")
		wants(t, err, session.ErrNotFound)
		<-f.closed
	})
}
