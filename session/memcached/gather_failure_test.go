package memcached_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session/memcached"
)

// One key that can't be answered does not harm those that ride with it.
func TestOneKeysFailureIsNotAnothers(t *testing.T) {
	t.Parallel()
	each := answerEach(10 * time.Millisecond)
	for name, answer := range map[string]string{
		"an error":        "SERVER_ERROR out of memory writing get response\r\n",
		"half an answer":  found("k0", "k0", 7)[:20] + hangUp,
		"somebody else's": found("other", "secret", 7),
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
				await.Together(10, func(i int) {
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
		await.Together(20, func(i int) { // 16 in full batches, 4 that wait for the two in flight
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
		await.Together(7, func(i int) {
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
			await.Together(100, func(i int) {
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

// What came before the part of an answer that makes no sense may make none either:
// it is not used.
func TestAnswerOutOfStepIsUsedForNobody(t *testing.T) {
	t.Parallel()
	each := answerEach(10 * time.Millisecond)
	for name, end := range map[string]string{
		"a key that nobody asked for": found("other", "secret", 7),
		"not a value":                 "VALUE\r\nEND\r\n",
		"more than was asked for":     "END\r\nEND\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{answer: func(conn int, command string) string {
					asked := strings.Fields(command)[1:]
					if len(asked) == 1 {
						return each(conn, command)
					}
					var answer strings.Builder
					for _, key := range asked {
						answer.WriteString(strings.TrimSuffix(found(key, "secret", 7), "END\r\n"))
					}
					return answer.String() + end
				}}
				s := f.open(t)
				defer s.Close()
				takeOff(t, s)
				await.Together(10, func(i int) {
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

// When another call takes the node down, gets in flight end with their timeout, and
// those that wait for them then, later ones at once, and none of them is sent.
func TestGatheredGetsOfANodeThatGoesDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{probed: true, answer: stalls}
		s := f.open(t)
		defer s.Close()
		start := time.Now()
		ends := func(what string, want time.Duration, err error) {
			unknown(t, err)
			if took := time.Since(start); took != want {
				t.Errorf("M10 %s ended after %v, want %v", what, took, want)
			}
		}
		var all sync.WaitGroup
		all.Go(func() { ends("the Delete", 250*time.Millisecond, s.Delete(t.Context(), "k")) })
		<-time.After(100 * time.Millisecond)
		for range 2 {
			all.Go(func() {
				_, _, err := s.Get(t.Context(), "flying")
				ends("a get in flight", 350*time.Millisecond, err)
			})
		}
		synctest.Wait()
		for i := range 50 {
			all.Go(func() {
				_, _, err := s.Get(t.Context(), fmt.Sprint("waiting", i))
				ends("a get that waited", 350*time.Millisecond, err)
			})
		}
		<-time.After(200 * time.Millisecond)
		await.Together(50, func(i int) {
			_, _, err := s.Get(t.Context(), fmt.Sprint("later", i))
			ends("a later get", 300*time.Millisecond, err)
		})
		all.Wait()
		var asked []string
		for _, command := range f.sent() {
			if command != "version" {
				asked = append(asked, command)
			}
		}
		if len(asked) != 3+8 { // eight full batches wait for nobody
			t.Errorf("%d commands: %q", len(asked), asked)
		}
	})
}

// A batch that finds its pooled connection dead, as after a restart, is made again
// once; after that each of its gets is made alone.
func TestBatchIsMadeAgainOnce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		dead int64 // so many batches find their connection dead
		want []int // keys of the commands
	}{
		{"M9 one dead connection", 1, []int{1, 1, 3, 3}},
		{"M9 a second one", 2, []int{1, 1, 1, 1, 1, 3, 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var batches atomic.Int64
				f := &fake{answer: func(conn int, command string) string {
					after := 10 * time.Millisecond
					switch {
					case command == "gets first1":
						after = 200 * time.Millisecond // a connection that works keeps the node up
					case strings.Count(command, " ") > 1 && batches.Add(1) <= test.dead:
						return hangUp
					}
					return answerEach(after)(conn, command)
				}}
				s := f.open(t)
				defer s.Close()
				takeOff(t, s)
				await.Together(3, func(i int) {
					key := fmt.Sprint("k", i)
					value, _, err := s.Get(t.Context(), key)
					if err != nil || string(value) != key {
						t.Errorf("%s: %q, %v", key, value, err)
					}
				})
				if got := f.batches(); !slices.Equal(got, test.want) {
					t.Errorf("commands for %v keys, want %v", got, test.want)
				}
				<-time.After(time.Second)
			})
		})
	}
}

// More than a node can do is refused in time, each with a reason that says so, and
// is not sent; the node stays up.
func TestCrowdIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := new(observer)
		f := &fake{answer: answerEach(240 * time.Millisecond)}
		s := open(t, memcached.Config{Nodes: []string{"fake.example:11211"}, DialContext: f.dial, Observe: o.observe})
		defer s.Close()
		start := time.Now()
		var served, crowded atomic.Int64
		await.Together(1000, func(i int) {
			_, _, err := s.Get(t.Context(), fmt.Sprint("k", i))
			switch {
			case err == nil:
				served.Add(1)
			case strings.Contains(err.Error(), "too many calls were before this one"):
				crowded.Add(1)
			default:
				t.Errorf("error %v", err)
			}
			if took := time.Since(start); took > 500*time.Millisecond {
				t.Errorf("a get took %v", took)
			}
		})
		sent := 0
		for _, n := range f.batches() {
			sent += n
		}
		if served.Load() < 64 || crowded.Load() < 64 || int64(sent) != served.Load() || len(o.seen()) > 0 {
			t.Errorf("%d served of %d sent, and %d refused; events %q", served.Load(), sent, crowded.Load(), o.seen())
		}
		<-time.After(time.Second)
	})
}
