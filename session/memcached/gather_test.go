package memcached_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
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
		leaving, leave := cancelAfter(t.Context(), 5*time.Millisecond)
		defer leave()
		start := time.Now()
		go get(t.Context(), "first", nil)
		synctest.Wait()
		together(100, func(i int) {
			switch key := fmt.Sprint("k", i/2); {
			case i == 0:
				get(leaving, key, context.Canceled)
			case i%10 == 1:
				get(t.Context(), "absent"+key, session.ErrNotFound)
			default:
				get(t.Context(), key, nil)
			}
		})
		if took := time.Since(start); took != 30*time.Millisecond {
			t.Errorf("it took %v, want 30ms: three round trips", took)
		}
		var sizes []int
		for _, command := range f.sent() {
			sizes = append(sizes, len(strings.Fields(command))-1)
		}
		if want := []int{1, 64, 36}; !slices.Equal(sizes, want) {
			t.Errorf("batches of %v keys, want %v", sizes, want)
		}
	})
}

// What is in flight already is never joined, also not for the same key.
func TestSentGetIsNotJoined(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: answerEach(10 * time.Millisecond)}
		s := f.open(t)
		defer s.Close()
		for range 3 {
			go s.Get(t.Context(), "k")
			<-time.After(time.Millisecond)
		}
		<-time.After(time.Second)
		if got := f.sent(); !slices.Equal(got, []string{"gets k", "gets k k"}) {
			t.Errorf("sent %q", got)
		}
	})
}

// One key that can't be answered does not harm those that ride with it.
func TestOneKeysFailureIsNotAnothers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		each := answerEach(10 * time.Millisecond)
		f := &fake{answer: func(conn int, command string) string {
			if strings.Contains(command, "bad") {
				return "SERVER_ERROR out of memory writing get response\r\n"
			}
			return each(conn, command)
		}}
		s := open(t, memcached.Config{Nodes: []string{"fake.example:11211"}, DialContext: f.dial})
		defer s.Close()
		go s.Get(t.Context(), "first")
		synctest.Wait()
		together(10, func(i int) {
			if i == 5 {
				_, _, err := s.Get(t.Context(), "bad")
				unknown(t, err)
				return
			}
			_, _, err := s.Get(t.Context(), fmt.Sprint("k", i))
			wants(t, err, nil)
		})
	})
}
