package memcached_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// A call that waits for a silent node ends when its context does, and that is
// the caller's affair, not the node's.
func TestContextEndsAWaitingCall(t *testing.T) {
	t.Parallel()
	ends := map[string]struct {
		after func(context.Context, time.Duration) (context.Context, context.CancelFunc)
		want  error
	}{
		"cancelled": {cancelAfter, context.Canceled},
		"deadline":  {context.WithTimeout, context.DeadlineExceeded},
	}
	for name, call := range methods {
		for how, end := range ends {
			for _, warm := range []bool{true, false} {
				t.Run(name+" "+how+map[bool]string{true: " on a pooled connection", false: " on a fresh one"}[warm], func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						f := &fake{answer: func(_ int, command string) string {
							if command == "gets warm" {
								return "END\r\n"
							}
							return silence
						}}
						s := f.open(t)
						defer s.Close()
						if warm {
							s.Get(t.Context(), "warm")
						}
						ctx, cancel := end.after(t.Context(), 10*time.Millisecond)
						defer cancel()
						start := time.Now()
						err := call(ctx, s, "k", time.Hour)
						if took := time.Since(start); took != 10*time.Millisecond {
							t.Errorf("took %v, want 10ms", took)
						}
						wants(t, err, end.want)
						unknown(t, err)
						if !s.Available("k") {
							t.Error("the node counts as failing because a caller has left")
						}
					})
				})
			}
		}
	}
}

func TestContextEndsConnecting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, memcached.Config{Nodes: []string{"fake.example:11211"}, DialContext: neverConnects})
		ctx, cancel := cancelAfter(t.Context(), 10*time.Millisecond)
		defer cancel()
		start := time.Now()
		err := s.Create(ctx, "k", nil, time.Hour)
		if took := time.Since(start); took != 10*time.Millisecond || !errors.Is(err, context.Canceled) {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

// A connection whose caller left while an answer was due is never used again:
// the answer would be taken for one to the next question.
func TestLateAnswerIsNobodys(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"tcp", "TLS"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			server, cfg := transports[transport](t)
			lateAnswerIsNobodys(t, server, open(t, cfg))
		})
	}
}

func lateAnswerIsNobodys(t *testing.T, server *memcachedtest.Server, s *memcached.Store) {
	t.Helper()
	for _, key := range []string{"mine", "other"} {
		if err := s.Create(t.Context(), key, []byte("value of "+key), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		server.Pause()
		ctx, cancel := cancelAfter(t.Context(), 5*time.Millisecond)
		if _, _, err := s.Get(ctx, "other"); !errors.Is(err, context.Canceled) {
			t.Fatalf("%v, want context.Canceled", err)
		}
		cancel()
		server.Resume()
		if value, _, err := s.Get(t.Context(), "mine"); err != nil || string(value) != "value of mine" {
			t.Fatalf("got %q, %v", value, err)
		}
	}
}

// A context that ends just when the answer comes must neither lose the answer
// nor leave a deadline behind on the connection for the next call.
func TestContextEndsWithTheAnswer(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"tcp", "TLS"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			_, cfg := transports[transport](t)
			contextEndsWithTheAnswer(t, open(t, cfg))
		})
	}
}

func contextEndsWithTheAnswer(t *testing.T, s *memcached.Store) {
	t.Helper()
	if err := s.Create(t.Context(), "k", []byte("value"), time.Hour); err != nil {
		t.Fatal(err)
	}
	await.Together(8, func(i int) {
		for n := range 200 {
			ctx, cancel := cancelAfter(t.Context(), time.Duration((n*8+i)%200)*time.Microsecond)
			value, _, err := s.Get(ctx, "k")
			if err == nil && string(value) != "value" || err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("%q, %v", value, err)
			}
			cancel()
			if _, _, err := s.Get(t.Context(), "k"); err != nil {
				t.Errorf("the call after a cancelled one: %v", err)
			}
		}
	})
}

// The value given to a call that is given up belongs to the caller again; the
// race detector watches.
func TestValueIsTheCallersAfterCancellation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(int, string) string { return silence }}
		s := f.open(t)
		defer s.Close()
		value := make([]byte, 100_000)
		for range 10 {
			ctx, cancel := cancelAfter(t.Context(), time.Millisecond)
			if err := s.Create(ctx, "k", value, time.Hour); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			cancel()
			clear(value)
		}
	})
}

func TestTimeoutBoundsTheWholeCall(t *testing.T) {
	t.Parallel()
	const timeout = 250 * time.Millisecond
	for name, dial := range map[string]func(ctx context.Context, network, address string) (net.Conn, error){
		"no connection": neverConnects,
		"silence":       (&fake{answer: func(int, string) string { return silence }}).dial,
		"a connection late, then silence": func(ctx context.Context, network, address string) (net.Conn, error) {
			<-time.After(timeout / 2)
			return (&fake{answer: func(int, string) string { return silence }}).dial(ctx, network, address)
		},
		"an answer byte by byte":        trickle(found("k", "a value of some length", 7)),
		"an answer without end":         trickle(string(make([]byte, 4096))),
		"a great many values, one late": trickle(found("a", "1", 1) + found("b", "2", 2)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := open(t, memcached.Config{Nodes: []string{"fake.example:11211"}, DialContext: dial})
				start := time.Now()
				_, _, err := s.Get(t.Context(), "k")
				unknown(t, err)
				if took := time.Since(start); took != timeout {
					t.Errorf("took %v, want %v (%v)", took, timeout, err)
				}
				s.Close()
				<-time.After(time.Second) // until the node has noticed
			})
		})
	}
}

// A connection's deadline, which is the caller's, can pass before the caller's
// timer has fired: that is no silence of the node's.
func TestContextWhoseTimerIsLate(t *testing.T) {
	t.Parallel()
	for name, call := range methods {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := (&fake{answer: func(int, string) string { return silence }}).open(t)
				defer s.Close()
				unknown(t, call(lateTimer{t.Context(), time.Now().Add(10 * time.Millisecond)}, s, "k", time.Hour))
				if !s.Available("k") {
					t.Error("the node counts as failing because its caller's time was over")
				}
			})
		})
	}
}

// lateTimer is a context past whose deadline nothing has happened yet.
type lateTimer struct {
	context.Context
	at time.Time
}

func (c lateTimer) Deadline() (time.Time, bool) { return c.at, true }
