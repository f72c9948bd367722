package memcached_test

import (
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
)

func TestBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, o := &patient{fake: fake{answer: func(int, string) string { return "END\r\n" }}}, new(observer)
		s := open(t, memcached.Config{Nodes: []string{"n=fake.example:11211"}, DialContext: p.dial, Observe: o.observe})
		defer s.Close()
		if !s.Available("k") {
			t.Error("not available before any call")
		}
		p.refuses.Store(true)
		_, _, err := s.Get(t.Context(), "k")
		wants(t, err, errPlanted)
		synctest.Wait()
		before := p.connections()
		for range 1000 {
			_, _, err := s.Get(t.Context(), "k")
			wants(t, err, errPlanted) // the reason why it was given up
		}
		if n := p.connections(); n != before {
			t.Errorf("calls to a node that is down made %d connections", n-before)
		}
		if s.Available("k") {
			t.Error("a node that is down is available")
		}
		<-time.After(time.Minute)
		if n := p.connections() - before; n < 100 || n > 300 {
			t.Errorf("asked %d times in a minute whether it is back", n)
		}
		p.refuses.Store(false)
		<-time.After(500 * time.Millisecond)
		if !s.Available("k") {
			t.Error("M11 not available half a second after it came back, without a request")
		}
		_, _, err = s.Get(t.Context(), "k")
		wants(t, err, session.ErrNotFound)
		if got, want := o.seen(), []string{"node down: n", "node up: n"}; !slices.Equal(got, want) {
			t.Errorf("events %q, want %q", got, want)
		}
	})
}

// What takes a node down, and what does not.
func TestWhatTakesANodeDown(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		answer string
		pooled bool // the call is made on a connection that served before
		down   bool
	}{
		{"silence", silence, false, true},
		{"silence on a pooled connection", silence, true, true},
		{"a fresh connection that ends", hangUp, false, true},
		{"a pooled connection that ends", hangUp, true, false},
		{"half an answer", "VALUE k 0 1" + hangUp, false, false},
		{"an answer to another question", found("another", "v", 7), false, false},
		{"an answer that says no", "SERVER_ERROR out of memory storing object\r\n", false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := new(observer)
				f := &fake{answer: func(_ int, command string) string {
					if command == "gets warm" {
						return "END\r\n"
					}
					return test.answer
				}}
				s := open(t, memcached.Config{Nodes: []string{"n=fake.example:11211"}, DialContext: f.dial, Observe: o.observe})
				defer s.Close()
				if test.pooled {
					s.Get(t.Context(), "warm")
				}
				unknown(t, s.Update(t.Context(), "k", nil, 7, time.Hour))
				synctest.Wait()
				if down := len(o.seen()) > 0; down != test.down {
					t.Errorf("events %q, want any: %v", o.seen(), test.down)
				}
				<-time.After(time.Second)
				if !s.Available("k") {
					t.Error("not available although it answered a probe, or was asked nothing")
				}
			})
		})
	}
}

// One slow answer among others is no reason to give a node up.
func TestOthersAnswersKeepANodeUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := new(observer)
		f := &fake{answer: func(_ int, command string) string {
			if command == "delete slow" {
				return silence
			}
			return "NOT_FOUND\r\n"
		}}
		s := open(t, memcached.Config{Nodes: []string{"n=fake.example:11211"}, DialContext: f.dial, Observe: o.observe})
		defer s.Close()
		done := make(chan error)
		go func() { done <- s.Delete(t.Context(), "slow") }()
		<-time.After(100 * time.Millisecond)
		wants(t, s.Delete(t.Context(), "quick"), nil)
		unknown(t, <-done)
		wants(t, s.Delete(t.Context(), "quick"), nil)
		if len(o.seen()) > 0 {
			t.Errorf("events %q", o.seen())
		}
	})
}

// Close ends the probes of a node that is down: the bubble would wait for them.
func TestCloseEndsProbes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, memcached.Config{Nodes: []string{"n=fake.example:11211"}, DialContext: neverConnects})
		s.Get(t.Context(), "k")
		wants(t, s.Close(), nil)
		_, _, err := s.Get(t.Context(), "k")
		wants(t, err, net.ErrClosed)
	})
}

// That this side can make no more connections is no reason to give up those that
// it has.
func TestConnectionsThatWorkKeepANodeUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := new(observer)
		p := &patient{fake: fake{answer: func(int, string) string {
			<-time.After(time.Millisecond)
			return "NOT_FOUND\r\n"
		}}}
		s := open(t, memcached.Config{Nodes: []string{"n=fake.example:11211"}, DialContext: p.dial, Observe: o.observe})
		defer s.Close()
		await.Together(8, func(int) { wants(t, s.Delete(t.Context(), "k"), nil) })
		p.refuses.Store(true)
		var failed atomic.Int64
		await.Together(9, func(int) {
			if s.Delete(t.Context(), "k") != nil {
				failed.Add(1)
			}
		})
		await.Together(8, func(int) { wants(t, s.Delete(t.Context(), "k"), nil) })
		if n := failed.Load(); n != 1 || len(o.seen()) > 0 {
			t.Errorf("%d of 9 failed for 8 connections, want 1; events %q", n, o.seen())
		}
	})
}

// A node that answers probes, but nothing else, is used ever less often.
func TestNodeThatAnswersProbesAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var silent atomic.Bool
		silent.Store(true)
		f := &fake{answer: func(int, string) string {
			if silent.Load() {
				return silence // the fake answers "version" itself
			}
			return "END\r\n"
		}}
		s := f.open(t)
		defer s.Close()
		ask := func(while time.Duration) (waited int) {
			for end := time.Now().Add(while); time.Now().Before(end); <-time.After(10 * time.Millisecond) {
				start := time.Now()
				s.Get(t.Context(), "k")
				if time.Since(start) > 0 {
					waited++
				}
			}
			return waited
		}
		if n := ask(time.Minute); n > 25 {
			t.Errorf("M10 in a minute %d requests waited for the timeout", n)
		}
		silent.Store(false)
		<-time.After(10 * time.Second)
		_, _, err := s.Get(t.Context(), "k")
		wants(t, err, session.ErrNotFound)
		silent.Store(true)
		if n := ask(time.Second); n < 2 {
			t.Errorf("a node that had answered was left alone at once: %d requests waited", n)
		}
		<-time.After(time.Second)
	})
}
