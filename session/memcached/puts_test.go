package memcached_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
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

// takeOffWriting has as many writes in flight as there are before others wait.
func takeOffWriting(t *testing.T, s *memcached.Store) {
	for i := range 2 {
		go s.Update(t.Context(), fmt.Sprint("first", i), nil, 7, time.Hour)
	}
	synctest.Wait()
}

// byKey answers each command after a while: the answers that there are for its
// key, one after another, and STORED for all others.
func byKey(answers map[string][]string) func(int, string) string {
	var mu sync.Mutex
	return func(_ int, command string) string {
		key := strings.Fields(command)[1]
		if strings.HasPrefix(key, "first") {
			<-time.After(10 * time.Millisecond)
		}
		mu.Lock()
		defer mu.Unlock()
		if left := answers[key]; len(left) > 0 {
			answers[key] = left[1:]
			return left[0]
		}
		return "STORED\r\n"
	}
}

func TestWritesAreGathered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: byKey(map[string][]string{
			"exists": {"NOT_STORED\r\n"}, "conflict": {"EXISTS\r\n"}, "absent": {"NOT_FOUND\r\n"},
			"large": {tooLarge}, "full": {"SERVER_ERROR out of memory storing object\r\n"},
		})}
		s := f.open(t)
		defer s.Close()
		takeOffWriting(t, s)
		create := func(key string) error { return s.Create(t.Context(), key, []byte("value"), time.Hour) }
		update := func(key string) error { return s.Update(t.Context(), key, []byte("value"), 7, time.Hour) }
		calls := []struct {
			call func(string) error
			key  string
			want error
		}{
			{create, "new", nil},
			{create, "exists", session.ErrExists},
			{update, "stored", nil},
			{update, "conflict", session.ErrConflict},
			{update, "absent", session.ErrNotFound},
			{update, "large", session.ErrTooLarge},
			{update, "full", errUnknown},
			{update, "another", nil},
		}
		start := time.Now()
		await.Together(len(calls), func(i int) {
			wants(t, calls[i].call(calls[i].key), calls[i].want)
		})
		if took := time.Since(start); took > 10*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		if n := f.connections(); n > 4 {
			t.Errorf("%d connections for 2 writes and 8 together", n)
		}
		want := []string{"add exists 0 3602 5", "add new 0 3602 5", "cas stored 0 3602 5 7"}
		for _, command := range want {
			if !slices.Contains(f.sent(), command) {
				t.Errorf("%q is not in %q", command, f.sent())
			}
		}
		<-time.After(time.Second)
	})
}

// What becomes of those that ride together when the node hangs up, or answers
// what makes no sense.
func TestGatheredWritesWithoutAnswers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		answers map[string][]string // of a, b and c, of which b is a Create
		want    [3]error
		sent    int // how often b is
	}{
		{"M13 who was answered knows, of the others an Update is not sent again", map[string][]string{"c": {hangUp}}, [3]error{nil, nil, errUnknown}, 1},
		{"M9 a Create is made again", map[string][]string{"b": {hangUp}}, [3]error{nil, nil, errUnknown}, 2},
		{"M13 a Create may meet its own first attempt", map[string][]string{"b": {hangUp, "NOT_STORED\r\n"}}, [3]error{nil, errUnknown, errUnknown}, 2},
		{"M13 an Update is not made again on another connection", map[string][]string{"a": {hangUp}}, [3]error{errUnknown, nil, errUnknown}, 1},
		{"M9 nonsense is no answer to a Create", map[string][]string{"b": {"VALUE\r\n"}}, [3]error{errUnknown, nil, errUnknown}, 2},
		{"M9 a Create that a full node refuses is not made again", map[string][]string{"b": {"SERVER_ERROR out of memory storing object\r\n"}}, [3]error{nil, errUnknown, nil}, 1},
		{"M13 half an answer is none", map[string][]string{"c": {"STO" + hangUp}}, [3]error{nil, nil, errUnknown}, 1},
		{"M13 after an answer that makes no sense nobody knows", map[string][]string{"c": {"VALUE\r\n"}, "b": {"STORED\r\n"}}, [3]error{errUnknown, errUnknown, errUnknown}, 1},
		{"M13 after an answer too many nobody knows", map[string][]string{"c": {"STORED\r\nSTORED\r\n"}, "b": {"STORED\r\n"}}, [3]error{errUnknown, errUnknown, errUnknown}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{answer: byKey(test.answers)}
				s := f.open(t)
				defer s.Close()
				takeOffWriting(t, s)
				var got [3]error
				var wg sync.WaitGroup
				for i, call := range []func() error{
					func() error { return s.Update(t.Context(), "a", nil, 7, time.Hour) },
					func() error { return s.Create(t.Context(), "b", nil, time.Hour) },
					func() error { return s.Update(t.Context(), "c", nil, 7, time.Hour) },
				} {
					wg.Go(func() { got[i] = call() })
					synctest.Wait() // in this order
				}
				wg.Wait()
				times := map[string]int{}
				for _, command := range f.sent() {
					times[strings.Fields(command)[1]]++
				}
				for i, want := range test.want {
					wants(t, got[i], want)
				}
				if times["a"] != 1 || times["c"] > 1 || times["b"] != test.sent {
					t.Errorf("sent %v, want b %d times and the others at most once", times, test.sent)
				}
				<-time.After(time.Second)
			})
		})
	}
}

// Who leaves takes his value along: it is his again, and what is sent is what it
// was.
func TestWriterWhoLeaves(t *testing.T) {
	t.Parallel()
	node := memcachedtest.Start(t)
	s := open(t, memcached.Config{Nodes: []string{node.Addr()}, Timeout: 5 * time.Second})
	await.Together(64, func(i int) {
		for n := range 50 {
			key, value := fmt.Sprint("k", i, ".", n), bytes.Repeat([]byte{byte('a' + n%26)}, 1000)
			ctx, cancel := cancelAfter(t.Context(), time.Duration(n*20)*time.Microsecond)
			err := s.Create(ctx, key, value, time.Hour)
			clear(value)
			cancel()
			if err != nil {
				continue
			}
			got, _, err := s.Get(t.Context(), key)
			if want := bytes.Repeat([]byte{byte('a' + n%26)}, 1000); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %.10q, %v", key, got, err)
			}
		}
	})
	for key, item := range node.Dump(t) {
		if bytes.IndexByte(item.Value, 0) >= 0 {
			t.Errorf("%s: what was sent is not what was given", key)
		}
	}
}

// Of writers that name the same version one wins, whatever they ride in.
func TestGatheredWritesOfARealNode(t *testing.T) {
	t.Parallel()
	s := open(t, memcached.Config{Nodes: []string{memcachedtest.Start(t).Addr()}, Timeout: 10 * time.Second})
	const counters, writers, rounds = 4, 64, 20
	for i := range counters {
		wants(t, s.Create(t.Context(), fmt.Sprint("counter", i), []byte("0"), time.Hour), nil)
	}
	await.Together(writers, func(i int) {
		key := fmt.Sprint("counter", i%counters)
		for range rounds {
			wants(t, increment(t.Context(), s, key), nil)
		}
	})
	for i := range counters {
		value, _, err := s.Get(t.Context(), fmt.Sprint("counter", i))
		if want := fmt.Sprint(writers / counters * rounds); err != nil || string(value) != want {
			t.Errorf("M13 the counter is %s, want %s; %v", value, want, err)
		}
	}
}

func increment(ctx context.Context, s *memcached.Store, key string) error {
	for {
		value, version, err := s.Get(ctx, key)
		if err != nil {
			return err
		}
		var n int
		fmt.Sscan(string(value), &n)
		err = s.Update(ctx, key, fmt.Append(nil, n+1), version, time.Hour)
		if !errors.Is(err, session.ErrConflict) {
			return err
		}
	}
}

// Two connections that have stalled cost others a moment, not the timeout, and not
// the node.
func TestStalledCallsHoldNobodyUp(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(ctx context.Context, s *memcached.Store, key string) error{
		"gets": func(ctx context.Context, s *memcached.Store, key string) error {
			_, _, err := s.Get(ctx, key)
			return err
		},
		"updates": func(ctx context.Context, s *memcached.Store, key string) error {
			return s.Update(ctx, key, nil, 7, time.Hour)
		},
		"creates": func(ctx context.Context, s *memcached.Store, key string) error {
			return s.Create(ctx, key, nil, time.Hour)
		},
	} {
		t.Run("M10 "+name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := new(observer)
				f := &fake{answer: func(_ int, command string) string {
					switch {
					case strings.Contains(command, " stalled"):
						return silence
					case strings.HasPrefix(command, "gets "):
						return answerEach(0)(0, command)
					default:
						return "STORED\r\n"
					}
				}}
				s := open(t, memcached.Config{Nodes: []string{"n=fake.example:11211"}, DialContext: f.dial, Observe: o.observe})
				defer s.Close()
				for i := range 2 {
					go call(t.Context(), s, fmt.Sprint("stalled", i))
				}
				synctest.Wait()
				await.Together(3, func(i int) {
					<-time.After(time.Duration(i) * 40 * time.Millisecond)
					start := time.Now()
					wants(t, call(t.Context(), s, fmt.Sprint("k", i)), nil)
					if took := time.Since(start); took > memcached.DefaultTimeout/8 {
						t.Errorf("it took %v", took)
					}
				})
				<-time.After(time.Second)
				if events := o.seen(); len(events) > 0 {
					t.Errorf("events %q", events)
				}
			})
		})
	}
}

// Who writes little does not wait for who writes much.
func TestLargeValuesAreWrittenAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(_ int, command string) string {
			if strings.Contains(command, " large") {
				<-time.After(200 * time.Millisecond)
			}
			return "STORED\r\n"
		}}
		s := f.open(t)
		defer s.Close()
		takeOffWriting(t, s)
		go s.Update(t.Context(), "large", make([]byte, 200<<10), 7, time.Hour)
		synctest.Wait()
		start := time.Now()
		await.Together(8, func(i int) { wants(t, s.Update(t.Context(), fmt.Sprint("k", i), nil, 7, time.Hour), nil) })
		if took := time.Since(start); took > 10*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		<-time.After(time.Second)
	})
}
