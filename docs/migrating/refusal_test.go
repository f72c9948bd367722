package migrating_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/scs/v2/memstore"
	"github.com/gorilla/sessions"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/docs/migrating"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
	"github.com/coatcheck/coatcheck/tokens"
)

var (
	otherKey = tokens.GenerateKey()
	errDown  = errors.New("down")
)

// TestStoreDown: while the new store is down nobody becomes anonymous, and
// nothing is lost.
func TestStoreDown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, l library) {
		server := memcachedtest.Start(t)
		s := newSite(t, l, overMemcached(t, server.Addr()))
		cookies := l.login()
		server.Stop()
		got := ask(s.app, "GET", "/", cookies)
		want(t, got, 503, "")
		untouched(t, got)
		if got.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		if !s.events.has(session.StoreFailed, "old session") {
			t.Error("no event")
		}
		server.Restart()
		want(t, until(t, s, cookies), 200, alice)
	})
}

// until asks until the store is known to be up again.
func until(t *testing.T, s *site, cookies []*http.Cookie) reply {
	t.Helper()
	for {
		got := ask(s.app, "GET", "/", cookies)
		if got.status != 503 || t.Context().Err() != nil {
			return got
		}
		select {
		case <-t.Context().Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// TestNoteFails: without a note nobody is let in, and whether it was written or
// not, the next attempt finds the user.
func TestNoteFails(t *testing.T) {
	t.Parallel()
	for name, create := range map[string]func(string, func() error) error{
		"not written":     func(string, func() error) error { return errDown },
		"its answer lost": func(_ string, create func() error) error { return errors.Join(errDown, create()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, l library) {
				s := newSite(t, l, inMemory())
				s.store.create = create
				cookies := l.login()
				got := ask(s.app, "GET", "/", cookies)
				want(t, got, 503, "")
				untouched(t, got)
				s.store.create = nil
				want(t, ask(s.app, "GET", "/", cookies), 200, alice)
			})
		})
	}
}

// TestTabClosed: a takeover that has begun is finished, and found by the next request.
func TestTabClosed(t *testing.T) {
	t.Parallel()
	l := ofSCS(newSCS())
	s := newSite(t, l, inMemory())
	ctx, closeTab := context.WithCancel(t.Context())
	s.store.create = func(_ string, create func() error) error {
		closeTab()
		return create()
	}
	cookies := l.login()
	ask(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.app.ServeHTTP(w, r.WithContext(ctx))
	}), "GET", "/", cookies)
	want(t, ask(s.app, "GET", "/", cookies), 200, alice)
	if n := len(s.live("alice")); n != 1 || s.store.notes.Load() != 1 {
		t.Errorf("%d sessions, %d notes", n, s.store.notes.Load())
	}
}

// failing is an old store that is down, and quotes the key that it failed for.
type failing struct{ *memstore.MemStore }

func (failing) Find(token string) ([]byte, bool, error) {
	return nil, false, errors.New("no answer for " + token)
}

// TestOldStoreDown is for the other side.
func TestOldStoreDown(t *testing.T) {
	t.Parallel()
	t.Run("scs", func(t *testing.T) {
		t.Parallel()
		sm := newSCS()
		l := ofSCS(sm)
		s := newSite(t, l, inMemory())
		cookies := l.login()
		up := sm.Store
		sm.Store = failing{}
		got := ask(s.app, "GET", "/", cookies)
		want(t, got, 503, "")
		untouched(t, got)
		events := s.events.list()
		if len(events) != 1 || events[0].Kind != session.StoreFailed || strings.Contains(events[0].Err.Error(), cookies[0].Value) {
			t.Errorf("events: %+v", events)
		}
		sm.Store = up
		want(t, ask(s.app, "GET", "/", cookies), 200, alice)
	})
	t.Run("FilesystemStore", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		l := ofGorilla("", sessions.NewFilesystemStore(dir, []byte("an authentication key for tests.")))
		s := newSite(t, l, inMemory())
		cookies := l.login()
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		if len(files) != 1 || os.Remove(files[0]) != nil || os.Mkdir(files[0], 0o700) != nil {
			t.Fatal(files)
		}
		got := ask(s.app, "GET", "/", cookies)
		want(t, got, 503, "")
		untouched(t, got)
	})
}

// TestEnded: an old session that has ended, or was never one, is nobody's.
func TestEnded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, l library) {
		s := newSite(t, l, inMemory())
		nobody := func(name string, cookies []*http.Cookie) {
			got := ask(s.app, "GET", "/", cookies)
			want(t, got, 200, anonymous)
			untouched(t, got)
			if s.store.notes.Load() != 0 {
				t.Errorf("%s: a note", name)
			}
		}
		if l.name != "CookieStore" { // which can't end any
			cookies := l.login()
			ask(l.app, "POST", "/logout", cookies)
			nobody("logged out", cookies)
		}
		if len(s.events.list()) != 0 {
			t.Errorf("events: %+v", s.events.list())
		}
		nobody("invented", []*http.Cookie{{Name: l.cookie, Value: base64.RawURLEncoding.EncodeToString(make([]byte, 32))}})
		nobody("empty", []*http.Cookie{{Name: l.cookie}})
		nobody("nobody's", ask(l.app, "GET", "/", nil).set)
	})
}

// absent is a store for gorilla/sessions with an error of its own for no session.
type absent struct{ sessions.Store }

func (s absent) Get(r *http.Request, name string) (*sessions.Session, error) {
	got, err := s.Store.Get(r, name)
	if _, shown := r.Cookie(name); shown == nil {
		err = errAbsent
	}
	return got, err
}

var errAbsent = errors.New("no such row")

// TestAbsent: the application says which error of a store means no session.
func TestAbsent(t *testing.T) {
	t.Parallel()
	l := ofGorilla("", newCookieStore())
	cookies := l.login()
	for name, c := range map[string]struct {
		absent func(error) bool
		status int
	}{
		"told":     {func(err error) bool { return errors.Is(err, errAbsent) }, 200},
		"not told": {nil, 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, l, inMemory(), func(cfg *migrating.Config) {
				cfg.Old = &migrating.Gorilla{Store: absent{newCookieStore()}, Name: "shop", Absent: c.absent}
			})
			got := ask(s.app, "GET", "/", cookies)
			want(t, got, c.status, "")
			untouched(t, got)
		})
	}
}

// TestExpired: deadlines of the old library hold.
func TestExpired(t *testing.T) {
	t.Parallel()
	for _, l := range libraries(t) {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, l, inMemory(), func(c *migrating.Config) { c.Until = time.Now().Add(100 * 24 * time.Hour) })
				cookies := l.login()
				time.Sleep(time.Hour + time.Millisecond) // scs's idle timeout
				if l.name != "scs" {
					time.Sleep(31 * 24 * time.Hour)
				}
				got := ask(s.app, "GET", "/", cookies)
				want(t, got, 200, anonymous)
				untouched(t, got)
			})
		})
	}
}

// TestDeadline: the session's own deadline counts, whatever the old store still has.
func TestDeadline(t *testing.T) {
	t.Parallel()
	sm := newSCS()
	s := newSite(t, ofSCS(sm), inMemory())
	for deadline, who := range map[time.Duration]string{time.Minute: alice, -time.Minute: anonymous} {
		b, err := sm.Codec.Encode(time.Now().Add(deadline), map[string]any{"user": "alice", "cart": "coat scarf"})
		if err != nil {
			t.Fatal(err)
		}
		sm.Store.Commit(who[:5], b, time.Now().Add(time.Hour))
		want(t, ask(s.app, "GET", "/", []*http.Cookie{{Name: "session", Value: who[:5]}}), 200, who)
	}
}

// TestUnreadable: a session that can't be decoded makes its client anonymous,
// and the operator hears of it.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sm := newSCS()
	garbled := map[string]struct {
		library library
		spoil   func(cookies []*http.Cookie)
	}{
		"scs": {ofSCS(sm), func(cookies []*http.Cookie) {
			sm.Store.Commit(cookies[0].Value, []byte("garbage"), time.Now().Add(time.Hour))
		}},
		"CookieStore": {ofGorilla("", newCookieStore()), func(cookies []*http.Cookie) {
			cookies[0].Value = cookies[0].Value[1:]
		}},
		"FilesystemStore": {ofGorilla("", sessions.NewFilesystemStore(dir, []byte("an authentication key for tests."))), func([]*http.Cookie) {
			files, _ := filepath.Glob(filepath.Join(dir, "*"))
			if len(files) != 1 || os.WriteFile(files[0], []byte("garbage"), 0o600) != nil {
				t.Error(files)
			}
		}},
	}
	for name, c := range garbled {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, c.library, inMemory())
			cookies := c.library.login()
			c.spoil(cookies)
			got := ask(s.app, "GET", "/", cookies)
			want(t, got, 200, anonymous)
			untouched(t, got)
			if !s.events.has(session.Unreadable, "old session") {
				t.Errorf("events: %+v", s.events.list())
			}
		})
	}
}

// TestCopyFails: what the application makes of an old session decides, and half
// a session is none.
func TestCopyFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		copy   func(*http.Request, *session.Session) error
		status int
		text   string
	}{
		"nothing worth keeping": {func(*http.Request, *session.Session) error { return nil }, 200, anonymous},
		"unreadable": {func(_ *http.Request, s *session.Session) error {
			s.SetSubject("alice")
			return migrating.ErrUnreadable
		}, 200, anonymous},
		"the database is down": {func(_ *http.Request, s *session.Session) error {
			s.SetSubject("alice")
			return &chimw.Problem{Status: 503, Detail: "The database is down."}
		}, 503, "The database is down."},
		"any other": {func(_ *http.Request, s *session.Session) error {
			cart.Put(s, []string{"coat"})
			return errDown
		}, 500, "Internal Server Error"},
		"a value that can't be encoded": {func(_ *http.Request, s *session.Session) error {
			session.Key[func()]("broken").Put(s, func() {})
			return nil
		}, 500, "Internal Server Error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := ofSCS(newSCS())
			s := newSite(t, l, inMemory(), func(cfg *migrating.Config) { cfg.Copy = c.copy })
			got := ask(s.app, "GET", "/", l.login())
			want(t, got, c.status, c.text)
			untouched(t, got)
			if n := len(s.store.all()) + len(s.live("alice")); n != 0 {
				t.Errorf("stored: %q", s.store.all())
			}
			if s.events.has(session.Unreadable, "old session") != (name == "unreadable") {
				t.Errorf("events: %+v", s.events.list())
			}
		})
	}
}

// TestOtherSites: what another site's page caused is refused before anything is
// read or copied.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, l library) {
		carry := l.copy
		l.copy = func(r *http.Request, s *session.Session) error {
			t.Error("copied")
			return carry(r, s)
		}
		s := newSite(t, l, inMemory())
		for _, header := range [][]string{
			{"Sec-Fetch-Site", "cross-site"},
			{"Sec-Fetch-Site", "same-site"},
			{"Origin", "https://evil.example"},
		} {
			got := ask(s.app, "POST", "/", l.login(), header...)
			want(t, got, 403, "")
			untouched(t, got)
		}
		if s.store.all() != "" {
			t.Error("stored something")
		}
	})
}

// TestNotMounted: outside of chimw's Handler nothing has been checked.
func TestNotMounted(t *testing.T) {
	t.Parallel()
	l := ofSCS(newSCS())
	s := newSite(t, l, inMemory())
	got := ask(s.bridge.Handler(http.HandlerFunc(s.whoami)), "GET", "/", l.login())
	want(t, got, 500, "")
	if s.store.all() != "" {
		t.Error("stored something")
	}
}

// TestByToken: a client that shows a token is not a browser that lost its session.
func TestByToken(t *testing.T) {
	t.Parallel()
	l := ofSCS(newSCS())
	s := newSite(t, l, inMemory())
	want(t, ask(s.app, "GET", "/", l.login(), "X-Auth-Token", "made-up"), 401, "")
	own := s.manager.New()
	own.SetSubject("bob")
	own.AllowToken()
	if err := own.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := ask(s.app, "GET", "/", l.login(), "X-Auth-Token", own.Credential().Reveal())
	want(t, got, 200, "bob")
	untouched(t, got)
	if s.store.notes.Load() != 0 {
		t.Error("taken over")
	}
}

// TestConfig: all mistakes at once.
func TestConfig(t *testing.T) {
	t.Parallel()
	good := func() migrating.Config {
		s := newSite(t, ofSCS(newSCS()), inMemory())
		return migrating.Config{
			Manager: s.manager, Middleware: s.mw, Store: s.store, Key: key,
			Old: s.old.source, Copy: s.old.copy, Until: time.Now(),
		}
	}
	sameName := newSCS()
	sameName.Cookie.Name = newCookie
	shared := newSCS()
	shared.Cookie.Domain = "shop.example"
	for name, c := range map[string]struct {
		edit   func(*migrating.Config)
		fields string
	}{
		"nothing": {func(c *migrating.Config) { *c = migrating.Config{Grace: -1} }, "Manager Store Key Copy Until Grace Middleware Old"},
		"no cookie": {func(c *migrating.Config) {
			c.Middleware, _ = chimw.New(chimw.Config{Manager: c.Manager, NoCookie: true})
		}, "Middleware"},
		"a long grace":        {func(c *migrating.Config) { c.Grace = time.Hour }, "Grace"},
		"one cookie":          {func(c *migrating.Config) { c.Old = &migrating.SCS{Manager: sameName} }, "Old"},
		"no scs manager":      {func(c *migrating.Config) { c.Old = &migrating.SCS{} }, "Old"},
		"no gorilla store":    {func(c *migrating.Config) { c.Old = &migrating.Gorilla{Name: "shop"} }, "Old"},
		"no cookie's name":    {func(c *migrating.Config) { c.Old = &migrating.Gorilla{Name: "a b", Store: newCookieStore()} }, "Old"},
		"siblings signed out": {func(c *migrating.Config) { c.Old = &migrating.SCS{Manager: shared} }, "KeepCookie"},
		"siblings kept": {func(c *migrating.Config) {
			c.Old, c.KeepCookie = &migrating.SCS{Manager: shared}, true
		}, ""},
		"siblings taken along": {func(c *migrating.Config) {
			c.Old = &migrating.SCS{Manager: shared}
			c.Middleware, _ = chimw.New(chimw.Config{Manager: c.Manager, Domain: "shop.example"})
		}, ""},
		"fine": {func(*migrating.Config) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := good()
			c.edit(&cfg)
			_, err := migrating.New(cfg)
			if got := fields(err); got != c.fields {
				t.Errorf("mistakes in %q, want %q: %v", got, c.fields, err)
			}
		})
	}
}

func fields(err error) string {
	var names []string
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range all.Unwrap() {
			var e *migrating.ConfigError
			if errors.As(err, &e) {
				names = append(names, strings.TrimPrefix(e.Field, "migrating.Config."))
			}
		}
	}
	return strings.Join(names, " ")
}
