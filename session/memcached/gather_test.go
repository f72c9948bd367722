package memcached_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// answerEach answers a get of any keys after a while, with each key as its value,
// but for those that begin with "absent".
func answerEach(after time.Duration) func(int, string) string {
	return func(_ int, command string) string {
		<-time.After(after)
		var answer strings.Builder
		for _, key := range strings.Fields(command)[1:] {
			if !strings.HasPrefix(key, "absent") {
				fmt.Fprintf(&answer, "VALUE %s 0 %d 7\r\n%s\r\n", key, len(key), key)
			}
		}
		return answer.String() + "END\r\n"
	}
}

// takeOff has as many gets in flight as there are before others wait.
func takeOff(t *testing.T, s *memcached.Store) {
	for i := range 2 {
		go s.Get(t.Context(), fmt.Sprint("first", i))
	}
	synctest.Wait()
}

// batches returns how many keys each command asked for, sorted.
func (f *fake) batches() []int {
	var sizes []int
	for _, command := range f.sent() {
		sizes = append(sizes, len(strings.Fields(command))-1)
	}
	slices.Sort(sizes)
	return sizes
}

// grow has batches grow to their full size, and forgets what was sent for that.
func (f *fake) grow(t *testing.T, s *memcached.Store) {
	for range 4 {
		takeOff(t, s)
		together(8, func(i int) { s.Get(t.Context(), fmt.Sprint("k", i)) })
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commands = nil
}

func TestGetsAreGathered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: answerEach(10 * time.Millisecond)}
		s := f.open(t)
		defer s.Close()
		get := func(ctx context.Context, key string, want error) {
			value, version, err := s.Get(ctx, key)
			wants(t, err, want)
			if err == nil && (string(value) != key || version != 7) {
				t.Errorf("%s: %q, version %d", key, value, version)
			}
			clear(value) // it is the caller's own; the race detector watches
		}
		f.grow(t, s)
		takeOff(t, s)
		leaving, leave := cancelAfter(t.Context(), 5*time.Millisecond)
		defer leave()
		start := time.Now()
		together(100, func(i int) {
			switch key := fmt.Sprint("k", i/2); { // each key is asked for by two
			case i == 0:
				get(leaving, key, context.Canceled)
			case i%10 == 1:
				get(t.Context(), "absent"+key, session.ErrNotFound)
			default:
				get(t.Context(), key, nil)
			}
		})
		if took := time.Since(start); took != 20*time.Millisecond {
			t.Errorf("it took %v, want 20ms: two round trips", took)
		}
		if got, want := f.batches(), []int{1, 1, 36, 64}; !slices.Equal(got, want) {
			t.Errorf("batches of %v keys, want %v", got, want)
		}
	})
}

// A batch that is full waits for nobody.
func TestFullBatchGoesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: answerEach(10 * time.Millisecond)}
		s := f.open(t)
		defer s.Close()
		f.grow(t, s)
		takeOff(t, s)
		start := time.Now()
		together(64*5, func(i int) {
			_, _, err := s.Get(t.Context(), fmt.Sprint("k", i))
			wants(t, err, nil)
		})
		if took := time.Since(start); took != 10*time.Millisecond {
			t.Errorf("it took %v, want 10ms: one round trip", took)
		}
		if n := f.connections(); n != 7 {
			t.Errorf("%d connections for 2 gets and 5 full batches", n)
		}
	})
}

func TestIdleGetsDontWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: answerEach(10 * time.Millisecond)}
		s := f.open(t)
		defer s.Close()
		start := time.Now()
		together(2, func(i int) { s.Get(t.Context(), fmt.Sprint("k", i)) })
		if took := time.Since(start); took != 10*time.Millisecond {
			t.Errorf("two gets took %v, want one round trip", took)
		}
	})
}

// What is in flight already is never joined, also not for the same key: it may
// return what was true before it was asked.
func TestSentGetIsNotJoined(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: answerEach(10 * time.Millisecond)}
		s := f.open(t)
		defer s.Close()
		f.grow(t, s)
		takeOff(t, s)
		for range 20 { // some while gets are in flight, some while batches are
			<-time.After(time.Millisecond)
			go func() {
				sent := len(f.sent())
				_, _, err := s.Get(t.Context(), "k")
				wants(t, err, nil)
				if now := f.sent(); !slices.ContainsFunc(now[sent:], func(c string) bool { return strings.Contains(c, " k") }) {
					t.Errorf("joined one of %q", now[:sent])
				}
			}()
		}
		<-time.After(time.Second)
		if n := len(f.sent()); n > 8 {
			t.Errorf("%d commands", n)
		}
	})
}

// One who leaves while his get is in flight hands the turn on.
func TestCallerWhoLeavesHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: answerEach(100 * time.Millisecond)}
		s := f.open(t)
		defer s.Close()
		leaving, leave := cancelAfter(t.Context(), 10*time.Millisecond)
		defer leave()
		for range 2 {
			go s.Get(leaving, "k")
		}
		synctest.Wait()
		start := time.Now()
		_, _, err := s.Get(t.Context(), "another")
		wants(t, err, nil)
		if took := time.Since(start); took != 110*time.Millisecond {
			t.Errorf("it took %v, want 110ms", took)
		}
	})
}

// One key that can't be answered does not harm those that ride with it.
func TestOneKeysFailureIsNotAnothers(t *testing.T) {
	t.Parallel()
	each := answerEach(10 * time.Millisecond)
	for name, answer := range map[string]string{
		"an error":           "SERVER_ERROR out of memory writing get response\r\n",
		"half an answer":     found("k0", "k0", 7)[:20] + hangUp,
		"somebody else's":    found("other", "secret", 7),
		"another's, besides": found("k0", "k0", 7)[:len(found("k0", "k0", 7))-len("END\r\n")] + found("other", "secret", 7),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{answer: func(conn int, command string) string {
					if strings.Contains(command, "bad") {
						<-time.After(10 * time.Millisecond)
						return answer
					}
					return each(conn, command)
				}}
				s := f.open(t)
				defer s.Close()
				takeOff(t, s)
				together(10, func(i int) {
					if i == 5 {
						_, _, err := s.Get(t.Context(), "bad")
						unknown(t, err)
						return
					}
					key := fmt.Sprint("k", i)
					value, _, err := s.Get(t.Context(), key)
					if err != nil || string(value) != key {
						t.Errorf("%s: %q, %v", key, value, err)
					}
				})
			})
		})
	}
}

// Behind a slow node gets don't pile up: who would wait for more than two
// timeouts is refused, and the node stays up.
func TestGatheredGetsDontPileUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := new(observer)
		each := answerEach(240 * time.Millisecond)
		f := &fake{answer: func(conn int, command string) string {
			if strings.HasPrefix(command, "delete") {
				<-time.After(240 * time.Millisecond)
				return "DELETED\r\n"
			}
			return each(conn, command)
		}}
		s := open(t, memcached.Config{Nodes: []string{"fake.example:11211"}, DialContext: f.dial, MaxConns: 2, Observe: o.observe})
		defer s.Close()
		for range 2 {
			go s.Delete(t.Context(), "k")
		}
		synctest.Wait()
		takeOff(t, s) // which wait for the two to be back
		start := time.Now()
		var refused atomic.Int64
		together(20, func(i int) { // 16 in full batches, 4 that wait for the two in flight
			if _, _, err := s.Get(t.Context(), fmt.Sprint("k", i)); err != nil {
				unknown(t, err)
				refused.Add(1)
			}
			if took := time.Since(start); took > 500*time.Millisecond {
				t.Errorf("a get took %v", took)
			}
		})
		if n := refused.Load(); n != 20 || len(o.seen()) > 0 || !s.Available("k") {
			t.Errorf("%d of 20 were refused; events %q", n, o.seen())
		}
		<-time.After(time.Second)
	})
}

// What can't be answered together, for want of time or of sense, is asked again
// for each alone, if that ends as early as it would have.
func TestGatheredGetEndsNoLaterThanALoneOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := new(observer)
		f := &fake{answer: func(_ int, command string) string {
			<-time.After(240 * time.Millisecond)
			if strings.Count(command, " ") > 1 {
				return "SERVER_ERROR out of memory writing get response\r\n"
			}
			return "END\r\n"
		}}
		s := open(t, memcached.Config{Nodes: []string{"fake.example:11211"}, DialContext: f.dial, MaxConns: 2, Observe: o.observe})
		defer s.Close()
		takeOff(t, s)
		start := time.Now()
		together(7, func(i int) {
			s.Get(t.Context(), fmt.Sprint("k", i))
			if took := time.Since(start); took > 500*time.Millisecond {
				t.Errorf("a get took %v", took)
			}
		})
		if len(o.seen()) > 0 {
			t.Errorf("events %q", o.seen())
		}
		<-time.After(time.Second)
	})
}

// When a node goes silent, gets in flight and those that wait for them end with
// the timeout of what is in flight, and later ones at once.
func TestGatheredGetsOfASilentNode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, memcached.Config{Nodes: []string{"fake.example:11211"}, DialContext: mute})
		takeOff(t, s)
		start := time.Now()
		for _, name := range []string{"M10 waiting gets end with the timeout", "M10 later ones end at once"} {
			together(100, func(i int) {
				_, _, err := s.Get(t.Context(), fmt.Sprint("k", i))
				unknown(t, err)
				if took := time.Since(start); took != memcached.DefaultTimeout {
					t.Errorf("%s: after %v, want %v", name, took, memcached.DefaultTimeout)
				}
			})
		}
		s.Close()
		<-time.After(time.Second)
	})
}

// Large values ride in smaller batches, once it is known that they are.
func TestBatchesAreBoundedByBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		value := strings.Repeat("v", 64<<10)
		f := &fake{answer: func(_ int, command string) string {
			<-time.After(10 * time.Millisecond)
			var answer strings.Builder
			for _, key := range strings.Fields(command)[1:] {
				answer.WriteString(strings.TrimSuffix(found(key, value, 7), "END\r\n"))
			}
			return answer.String() + "END\r\n"
		}}
		s := f.open(t)
		defer s.Close()
		for range 4 {
			takeOff(t, s)
			together(12, func(i int) {
				got, _, err := s.Get(t.Context(), fmt.Sprint("k", i))
				if err != nil || string(got) != value {
					t.Errorf("%d bytes, %v", len(got), err)
				}
			})
		}
		if sizes := f.batches(); sizes[len(sizes)-1] > 4 || len(sizes) > 24 {
			t.Errorf("batches of %v keys, want none of more than 256 KiB and not many", sizes)
		}
	})
}

// A network that a full batch of large values is too much for fails no get that it
// would not fail alone.
func TestBatchesFitTheNetwork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wire, value := make(chan struct{}, 1), strings.Repeat("v", 64<<10)
		f := &fake{answer: func(_ int, command string) string {
			var answer strings.Builder
			for _, key := range strings.Fields(command)[1:] {
				wire <- struct{}{}
				<-time.After(6 * time.Millisecond) // about 10 MB/s, for all connections together
				<-wire
				answer.WriteString(strings.TrimSuffix(found(key, value, 7), "END\r\n"))
			}
			return answer.String() + "END\r\n"
		}}
		s := f.open(t)
		defer s.Close()
		for round := range 6 {
			takeOff(t, s)
			var failed atomic.Int64
			together(62, func(i int) {
				if _, _, err := s.Get(t.Context(), fmt.Sprint("k", i)); err != nil {
					failed.Add(1)
				}
			})
			if n := failed.Load(); n > 0 {
				t.Errorf("round %d: %d of 62 gets failed", round, n)
			}
			<-time.After(time.Second)
		}
	})
}

// Somebody's large session makes batches small, but nobody wait for that.
func TestLargeSessionHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		large := strings.Repeat("v", 1<<20-600)
		f := &fake{answer: func(_ int, command string) string {
			<-time.After(20 * time.Millisecond)
			var answer strings.Builder
			for _, key := range strings.Fields(command)[1:] {
				value := "small"
				if key == "large" {
					value = large
				}
				answer.WriteString(strings.TrimSuffix(found(key, value, 7), "END\r\n"))
			}
			return answer.String() + "END\r\n"
		}}
		s := f.open(t)
		defer s.Close()
		ctx, stop := context.WithTimeout(t.Context(), 2*time.Second)
		defer stop()
		var served atomic.Int64
		together(210, func(i int) {
			key := fmt.Sprint("k", i)
			if i < 10 {
				key = "large"
			}
			for {
				_, _, err := s.Get(t.Context(), key)
				if err != nil {
					t.Errorf("%s: %v", key, err)
				}
				if ctx.Err() != nil {
					return
				}
				if i >= 10 {
					served.Add(1)
				}
			}
		})
		// By 32 connections, each for one get at a time, it were 3,200.
		if n := served.Load(); n < 3500 {
			t.Errorf("%d gets of small sessions were served", n)
		}
	})
}

// What the fakes show holds with a real node too: long keys, large values, and
// writers that a get must not miss.
func TestGatheredGetsOfARealNode(t *testing.T) {
	t.Parallel()
	s := open(t, memcached.Config{Nodes: []string{memcachedtest.Start(t).Addr()}, Timeout: 10 * time.Second})
	values := make(map[string]string)
	for i := range 200 {
		key := fmt.Sprintf("%0250d", i)
		values[key] = strings.Repeat(fmt.Sprint(i, " "), i*i/4)
		wants(t, s.Create(t.Context(), key, []byte(values[key]), time.Hour), nil)
	}
	var written atomic.Int64
	wants(t, s.Create(t.Context(), "counter", []byte("0"), time.Hour), nil)
	together(64, func(i int) {
		for key, want := range values {
			value, _, err := s.Get(t.Context(), key)
			if err != nil || string(value) != want {
				t.Errorf("%s: %d bytes, want %d; %v", key, len(value), len(want), err)
			}
			before := written.Load()
			counter, version, err := s.Get(t.Context(), "counter")
			wants(t, err, nil)
			var n int64
			fmt.Sscan(string(counter), &n)
			if n < before {
				t.Errorf("a get returned %d after %d was written", n, before)
			}
			if i == 0 {
				wants(t, s.Update(t.Context(), "counter", fmt.Append(nil, n+1), version, time.Hour), nil)
				written.Store(n + 1)
			}
		}
	})
}

// Whatever a node answers, a get returns what belongs to its key, or an error.
func FuzzGet(f *testing.F) {
	for _, answer := range []string{
		found("k", "value", 7), "END\r\n", "ERROR\r\n", found("other", "value", 7), "VALUE k 0 5\r\nvalue\r\nEND\r\n",
		"VALUE k 0 4294967295 7\r\n", "VALUE k 1 -1 7\r\n", "VALUE  0 0 7\r\n\r\nEND\r\n", found("k", "value", 7) + "END\r\n",
	} {
		f.Add(answer)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		server := &fake{answer: func(int, string) string { return answer + hangUp }}
		s := server.open(t)
		defer s.Close()
		value, version, err := s.Get(t.Context(), "k")
		if (err == nil) != (version != 0) || err != nil && value != nil {
			t.Errorf("%q, version %d, with error %v", value, version, err)
		}
		if err == nil && !strings.Contains(answer, fmt.Sprintf(" %d %d\r\n%s\r\n", len(value), version, value)) {
			t.Errorf("%q, version %d is not what was answered", value, version)
		}
	})
}
