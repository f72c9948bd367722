package migrating_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/coatcheck/docs/migrating"
	"github.com/coatcheck/coatcheck/session"
)

const takenBefore = "old session taken over before"

// TestGrace: within it the old cookie finds the same session again, afterwards
// nothing, for as long as the old session would have lived, even if the bridge
// is left standing for longer than was planned.
func TestGrace(t *testing.T) {
	t.Parallel()
	for i, l := range libraries(t) {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, l, inMemory(), func(c *migrating.Config) { c.Until = time.Now().Add(time.Minute) })
				cookies := l.login()
				first := ask(s.app, "GET", "/", cookies)
				want(t, first, 200, alice)
				time.Sleep(migrating.DefaultGrace)
				again := ask(s.app, "GET", "/account/1", cookies)
				want(t, again, 200, alice)
				if again.issued() != first.issued() {
					t.Error("not the same session")
				}
				time.Sleep(time.Millisecond)
				refused := ask(s.app, "GET", "/", cookies)
				want(t, refused, 200, anonymous)
				untouched(t, refused)
				if !s.events.has(session.Rejected, takenBefore) {
					t.Error("no event")
				}
				s = newSite(t, l, s.store, func(c *migrating.Config) { c.Until = time.Now().Add(100 * 24 * time.Hour) })
				for range []int{23, 29 * 24, 29 * 24}[i] { // up to the end of the old session, and beyond
					time.Sleep(time.Hour)
					want(t, ask(s.app, "GET", "/", cookies), 200, anonymous)
				}
				if n := s.store.notes.Load(); n != 1 {
					t.Errorf("taken over %d times", n)
				}
			})
		})
	}
}

// TestAfterLogout: what ends or renews the new session ends the old credential,
// within the grace too.
func TestAfterLogout(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"/logout", "/renew", "revoked"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, l library) {
				s := newSite(t, l, inMemcached(t))
				cookies := l.login()
				first := ask(s.app, "GET", "/", cookies)
				want(t, first, 200, alice)
				if end == "revoked" {
					if err := s.manager.RevokeAll(t.Context(), "alice"); err != nil {
						t.Fatal(err)
					}
				} else {
					want(t, ask(s.app, "POST", end, first.set), 200, "")
				}
				replayed := ask(s.app, "GET", "/", cookies)
				want(t, replayed, 200, anonymous)
				untouched(t, replayed) // the browser may have a newer cookie by now
				want(t, ask(s.app, "GET", "/account/1", cookies), 401, "")
			})
		})
	}
}

// TestSavedAnew: a store on the server gives the same session a new cookie with
// each Save; all of them are the session that was taken over.
func TestSavedAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := ofGorilla("FilesystemStore", newFilesystemStore(t))
		s := newSite(t, l, inMemory())
		cookies := l.login()
		time.Sleep(time.Minute)
		anew := ask(l.app, "POST", "/login", cookies).set
		if anew[0].Value == cookies[0].Value {
			t.Fatal("the same cookie")
		}
		first := ask(s.app, "GET", "/", anew)
		want(t, first, 200, alice)
		want(t, ask(s.app, "POST", "/logout", first.set), 200, "")
		want(t, ask(s.app, "GET", "/", cookies), 200, anonymous)
	})
}

// TestOtherKey: a note that can't be opened says that the session was taken over.
func TestOtherKey(t *testing.T) {
	t.Parallel()
	l := ofSCS(newSCS())
	store, cookies := inMemory(), l.login()
	want(t, ask(newSite(t, l, store).app, "GET", "/", cookies), 200, alice)
	other := newSite(t, l, store, func(c *migrating.Config) { c.Key = otherKey })
	want(t, ask(other.app, "GET", "/", cookies), 200, anonymous)
	if !other.events.has(session.Rejected, takenBefore) {
		t.Error("no event")
	}
}

// TestUnknownEnd: of cookies that never end the notes last as long as browsers
// keep a cookie at most.
func TestUnknownEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		old := sessions.NewCookieStore([]byte("an authentication key for tests."))
		old.MaxAge(0)
		l := ofGorilla("", old)
		s := newSite(t, l, inMemory(), func(c *migrating.Config) { c.Until = time.Now().Add(500 * 24 * time.Hour) })
		cookies := l.login()
		want(t, ask(s.app, "GET", "/", cookies), 200, alice)
		time.Sleep(400 * 24 * time.Hour)
		want(t, ask(s.app, "GET", "/", cookies), 200, anonymous)
	})
}

// TestUntil: afterwards the bridge does nothing.
func TestUntil(t *testing.T) {
	t.Parallel()
	l := ofSCS(newSCS()) // outside of the bubble: scs leaves a goroutine behind
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, l, inMemory(), func(c *migrating.Config) { c.Until = time.Now().Add(time.Minute) })
		cookies := l.login()
		time.Sleep(time.Minute - time.Millisecond)
		want(t, ask(s.app, "GET", "/", cookies), 200, alice)
		time.Sleep(time.Millisecond)
		got := ask(s.app, "GET", "/", cookies)
		want(t, got, 200, anonymous)
		untouched(t, got)
	})
}

// TestSecrets: neither secret can be read in what is stored, nor in events and
// what is logged of them.
func TestSecrets(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, l library) {
		s := newSite(t, l, inMemory())
		cookies := l.login()
		first := ask(s.app, "GET", "/", cookies)
		want(t, first, 200, alice)
		ask(s.app, "POST", "/logout", first.set)
		ask(s.app, "GET", "/", cookies)
		s.store.create = func(_ string, _ func() error) error { return errors.New("down") }
		ask(s.app, "GET", "/", l.login())

		var log bytes.Buffer
		tell := session.LogEvents(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		for _, e := range s.events.list() {
			tell(t.Context(), e)
		}
		for what, text := range map[string]string{"the store": s.store.all(), "the log": log.String()} {
			for _, secret := range []string{cookies[0].Value, first.issued()} {
				if len(text) < 100 || strings.Contains(text, secret) {
					t.Errorf("%s has a secret, or nothing: %q", what, text)
				}
			}
		}
	})
}
