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

	"github.com/coatcheck/coatcheck/internal/await"
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
		await.Together(8, func(i int) { s.Get(t.Context(), fmt.Sprint("k", i)) })
	}
	f.forget()
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
		await.Together(100, func(i int) {
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
		await.Together(64*5, func(i int) {
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
		await.Together(2, func(i int) { s.Get(t.Context(), fmt.Sprint("k", i)) })
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
	await.Together(24, func(i int) {
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
