package migrating_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/docs/migrating"
	"github.com/coatcheck/coatcheck/session"
)

// TestTurns: nobody waits while somebody else's session is taken over.
func TestTurns(t *testing.T) {
	t.Parallel()
	l := ofSCS(newSCS())
	carry, release := l.copy, make(chan bool)
	entered := make(chan bool, 1)
	var first atomic.Bool
	s := newSite(t, l, inMemory(), func(c *migrating.Config) {
		c.Copy = func(r *http.Request, s *session.Session) error {
			if first.CompareAndSwap(false, true) {
				entered <- true
				<-release
			}
			return carry(r, s)
		}
	})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(release)
	wg.Go(func() { ask(s.app, "GET", "/", l.login()) })
	<-entered
	for range 200 {
		if got := ask(s.app, "GET", "/", l.login()); got.status != 200 {
			t.Fatalf("somebody else got %d %q", got.status, got.text)
		}
	}
}

// slowNotes is a store whose notes take a time to read, in a bubble.
type slowNotes struct{ session.Store }

func (s slowNotes) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	if isNote(key) {
		time.Sleep(time.Second)
	}
	return s.Store.Get(ctx, key)
}

// TestRecallsAtOnce: a note that is there is read by all at once, however slow
// the store is.
func TestRecallsAtOnce(t *testing.T) {
	t.Parallel()
	l := ofGorilla("", newCookieStore())
	synctest.Test(t, func(t *testing.T) {
		store := inMemory()
		store.Store = slowNotes{store.Store}
		s := newSite(t, l, store)
		cookies := l.login()
		want(t, ask(s.app, "GET", "/", cookies), 200, alice)
		begun := time.Now()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { want(t, ask(s.app, "GET", "/", cookies), 200, alice) })
		}
		wg.Wait()
		if took := time.Since(begun); took > time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// TestNotesFailForLong: while notes can't be written the attempts make one
// session, so that MaxPerSubject doesn't end those of the user's other devices.
func TestNotesFailForLong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		live int
	}{
		"an unknown outcome": {errDown, 2},
		"too large":          {session.ErrTooLarge, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := ofSCS(newSCS())
			s := newSite(t, l, inMemory())
			other := s.manager.New()
			other.SetSubject("alice")
			if err := other.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.store.create = func(string, func() error) error { return c.err }
			cookies := l.login()
			for range 150 {
				if got := ask(s.app, "GET", "/", cookies); got.status < 500 {
					t.Fatalf("%d %q", got.status, got.text)
				}
			}
			live := s.live("alice")
			if len(live) != c.live {
				t.Errorf("%d sessions", len(live))
			}
			ids := make([]string, len(live))
			for i, info := range live {
				ids[i] = info.ID.String()
			}
			if !strings.Contains(strings.Join(ids, " "), other.ID().String()) {
				t.Error("the other device was signed out")
			}
			s.store.create = nil
			want(t, ask(s.app, "GET", "/", cookies), 200, alice)
			if n := len(s.live("alice")); n != 2 {
				t.Errorf("%d sessions in the end", n)
			}
		})
	}
}

// TestLateNote: a note that arrives after its answer was given up, and after
// the next attempt began, is that attempt's, too.
func TestLateNote(t *testing.T) {
	t.Parallel()
	l := ofSCS(newSCS())
	s := newSite(t, l, inMemory())
	var late func() error
	s.store.create = func(_ string, create func() error) error {
		if late == nil {
			late = create
			return errDown
		}
		late()
		return create()
	}
	cookies := l.login()
	want(t, ask(s.app, "GET", "/", cookies), 503, "")
	got := ask(s.app, "GET", "/", cookies)
	want(t, got, 200, alice)
	want(t, ask(s.app, "GET", "/account/1", got.set[:1]), 200, alice)
	if n := len(s.live("alice")); n != 1 {
		t.Errorf("%d sessions", n)
	}
}
