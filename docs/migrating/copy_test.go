package migrating_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/docs/migrating"
	"github.com/coatcheck/coatcheck/session"
)

// TestCopyEnds: a Copy that ends the session keeps nothing, whatever it did
// before and after.
func TestCopyEnds(t *testing.T) {
	t.Parallel()
	past := time.Now().Add(-time.Second)
	for name, end := range map[string]func(r *http.Request, s *session.Session){
		"Destroy":  func(_ *http.Request, s *session.Session) { s.Destroy() },
		"ExpireAt": func(_ *http.Request, s *session.Session) { s.ExpireAt(past) },
		"ExpireAt, then Put": func(_ *http.Request, s *session.Session) {
			s.ExpireAt(past)
			visits.Put(s, 1)
		},
		"Commit, then Destroy": func(r *http.Request, s *session.Session) {
			s.Commit(r.Context())
			s.Destroy()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := ofSCS(newSCS())
			s := newSite(t, l, inMemory(), func(c *migrating.Config) {
				c.Copy = func(r *http.Request, s *session.Session) error {
					s.SetSubject("alice")
					end(r, s)
					return nil
				}
			})
			cookies := l.login()
			for range 2 {
				got := ask(s.app, "GET", "/", cookies)
				want(t, got, 200, anonymous)
				untouched(t, got)
			}
			if n := len(s.live("alice")); n != 0 || s.store.notes.Load() != 0 {
				t.Errorf("%d sessions, %d notes", n, s.store.notes.Load())
			}
		})
	}
}

// TestCopyCommitsAndFails: what was stored is ended, and the client told of
// nothing but the error.
func TestCopyCommitsAndFails(t *testing.T) {
	t.Parallel()
	l := ofSCS(newSCS())
	carry, fail := l.copy, true
	l.copy = func(r *http.Request, s *session.Session) error {
		if err := carry(r, s); err != nil || !fail {
			return err
		}
		if err := s.Commit(r.Context()); err != nil {
			t.Error(err)
		}
		return errDown
	}
	s := newSite(t, l, inMemory())
	mw, err := chimw.New(chimw.Config{Manager: s.manager, ClearSiteData: `"cookies"`})
	if err != nil {
		t.Fatal(err)
	}
	bridge, err := migrating.New(migrating.Config{
		Manager: s.manager, Middleware: mw, Store: s.store, Key: key,
		Old: l.source, Copy: l.copy, Until: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	app := mw.Handler(bridge.Handler(http.HandlerFunc(s.whoami)))
	cookies := l.login()
	got := ask(app, "GET", "/", cookies)
	want(t, got, 500, "")
	untouched(t, got)
	if said := got.header.Get("Clear-Site-Data"); said != "" {
		t.Errorf("Clear-Site-Data: %s", said)
	}
	if n := len(s.live("alice")); n != 0 {
		t.Errorf("%d sessions", n)
	}
	fail = false
	want(t, ask(app, "GET", "/", cookies), 200, alice)
}

// TestCopyFromContext: a Copy may use what the application's handlers use, which
// find the session in the request's context.
func TestCopyFromContext(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, l library) {
		carry := l.copy
		var mw *chimw.Middleware
		l.copy = func(r *http.Request, given *session.Session) error {
			if c := mw.Carrier(r.Context()); c != chimw.None || session.FromContext(r.Context()) != given {
				t.Errorf("another session in the context, by %s", c)
			}
			return carry(r, session.FromContext(r.Context()))
		}
		s := newSite(t, l, inMemory())
		mw = s.mw
		cookies := l.login()
		first := ask(s.app, "GET", "/", cookies)
		want(t, first, 200, alice)
		if n := s.store.notes.Load(); n != 1 {
			t.Errorf("%d notes", n)
		}
		want(t, ask(s.app, "POST", "/logout", first.set), 200, "")
		want(t, ask(s.app, "GET", "/", cookies), 200, anonymous)
	})
}

// TestBetween: a middleware between chimw's Handler and the bridge that gives the
// session something would make two of one: that is refused, and nothing is lost.
func TestBetween(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *http.Request, s *session.Session){
		"Put":        func(_ *http.Request, s *session.Session) { visits.Put(s, 1) },
		"SetSubject": func(_ *http.Request, s *session.Session) { s.SetSubject("bob") },
		"Destroy":    func(_ *http.Request, s *session.Session) { s.Destroy() },
		"Commit": func(r *http.Request, s *session.Session) {
			visits.Put(s, 1)
			s.Commit(r.Context())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := ofSCS(newSCS())
			s := newSite(t, l, inMemory())
			between := s.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				change(r, session.FromContext(r.Context()))
				s.bridge.Handler(http.HandlerFunc(s.whoami)).ServeHTTP(w, r)
			}))
			cookies := l.login()
			got := ask(between, "GET", "/", cookies)
			want(t, got, 500, "")
			for _, c := range got.set {
				if c.Name == l.cookie || c.Value != "" {
					t.Errorf("set cookies: %v", got.header["Set-Cookie"])
				}
			}
			want(t, ask(s.app, "GET", "/", cookies), 200, alice)
		})
	}
}
