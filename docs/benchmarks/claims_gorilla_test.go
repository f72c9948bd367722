package benchmarks_test

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/securecookie"
	gorilla "github.com/gorilla/sessions"

	"github.com/coatcheck/coatcheck/docs/benchmarks"
)

// gorillaSite is a site with one of the stores of gorilla/sessions.
type gorillaSite struct {
	store   gorilla.Store
	handler http.Handler
	during  func() // while /slow is being answered
}

func newGorillaSite(store gorilla.Store) *gorillaSite {
	s := &gorillaSite{store: store}
	change := func(f func(*gorilla.Session)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			session, _ := store.Get(r, "session")
			f(session)
			if err := session.Save(r, w); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		}
	}
	value := func(key string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			session, _ := store.Get(r, "session")
			v, _ := session.Values[key].(string)
			io.WriteString(w, v)
		}
	}
	s.handler = site(map[string]http.HandlerFunc{
		"/login":  change(func(session *gorilla.Session) { session.Values["user"] = "alice@example.com" }),
		"/theme":  change(func(session *gorilla.Session) { session.Values["theme"] = "dark" }),
		"/large":  change(func(session *gorilla.Session) { session.Values["large"] = strings.Repeat("x", 8000) }),
		"/logout": change(func(session *gorilla.Session) { session.Options.MaxAge = -1 }),
		"/slow": change(func(session *gorilla.Session) {
			s.during()
			session.Values["page"] = "slow"
		}),
		"/user":   value("user"),
		"/themes": value("theme"),
	})
	return s
}

var hashKey, blockKey = securecookie.GenerateRandomKey(32), securecookie.GenerateRandomKey(32)

func newFiles(t *testing.T, keys ...[]byte) *gorilla.FilesystemStore {
	t.Helper()
	return gorilla.NewFilesystemStore(t.TempDir(), keys...)
}

func (s *gorillaSite) login(t *testing.T) *benchmarks.Client {
	t.Helper()
	c := benchmarks.NewClient(s.handler, benchmarks.ByCookie)
	c.Do("POST", "/login")
	want(t, c, "GET", "/user", "alice@example.com")
	return c
}

// TestGorilla shows what docs/comparison.md says of gorilla/sessions.
func TestGorilla(t *testing.T) {
	claims{
		"a CookieStore needs nothing on the server": func(t *testing.T) {
			c := newGorillaSite(gorilla.NewCookieStore(hashKey)).login(t)
			another := newGorillaSite(gorilla.NewCookieStore(hashKey)).handler
			want(t, benchmarks.NewClient(showing(another, c.Shown()), benchmarks.ByCookie), "GET", "/user", "alice@example.com")
		},
		"a CookieStore's session has about 4 KB": func(t *testing.T) {
			c := newGorillaSite(gorilla.NewCookieStore(hashKey)).login(t)
			if res := c.Do("POST", "/large"); res.Code != http.StatusInternalServerError || !strings.Contains(res.Body.String(), "too long") {
				t.Errorf("%d %s", res.Code, res.Body)
			}
		},
		"clients read their CookieStore's session, unless there is a block key": func(t *testing.T) {
			for encrypted, keys := range map[bool][][]byte{false: {hashKey}, true: {hashKey, blockKey}} {
				_, value, _ := strings.Cut(newGorillaSite(gorilla.NewCookieStore(keys...)).login(t).Shown(), "=")
				if decodes(value, "alice@example.com") == encrypted {
					t.Errorf("%s, and encrypted is %v", value, encrypted)
				}
			}
		},
		"whoever reads the store reads sessions, unless there is a block key": func(t *testing.T) {
			for encrypted, keys := range map[bool][][]byte{false: {hashKey}, true: {hashKey, blockKey}} {
				dir := t.TempDir()
				newGorillaSite(gorilla.NewFilesystemStore(dir, keys...)).login(t)
				text, err := os.ReadFile(onlyFile(t, dir))
				if err != nil || decodes(string(text), "alice@example.com") == encrypted {
					t.Errorf("%v, %s, and encrypted is %v", err, text, encrypted)
				}
			}
		},
		"concurrent changes are lost": func(t *testing.T) {
			s := newGorillaSite(newFiles(t, hashKey))
			c := s.login(t)
			other := *c
			s.during = func() { other.Do("POST", "/theme") }
			c.Do("POST", "/slow")
			want(t, c, "GET", "/themes", "")
		},
		"a request under way brings back a session that was logged out": func(t *testing.T) {
			s := newGorillaSite(newFiles(t, hashKey))
			c := s.login(t)
			before, other := *c, *c
			s.during = func() { other.Do("POST", "/logout") }
			c.Do("POST", "/slow")
			want(t, &before, "GET", "/user", "alice@example.com")
		},
		"a CookieStore's cookie from before a logout stays good": func(t *testing.T) {
			c := newGorillaSite(gorilla.NewCookieStore(hashKey)).login(t)
			before := *c
			c.Do("POST", "/logout")
			want(t, &before, "GET", "/user", "alice@example.com")
		},
		"a forged cookie is refused before the store is asked": func(t *testing.T) {
			dir := t.TempDir()
			store := gorilla.NewFilesystemStore(dir, hashKey)
			c := newGorillaSite(store).login(t)
			if err := os.Remove(onlyFile(t, dir)); err != nil {
				t.Fatal(err)
			}
			if err := get(store, c.Shown()); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a good cookie: %v", err)
			}
			c.Forge()
			if err := get(store, c.Shown()); err == nil || errors.Is(err, os.ErrNotExist) {
				t.Errorf("a forged one: %v", err)
			}
		},
		"a login keeps the session's ID": func(t *testing.T) {
			dir := t.TempDir()
			s := newGorillaSite(gorilla.NewFilesystemStore(dir, hashKey))
			c := benchmarks.NewClient(s.handler, benchmarks.ByCookie)
			c.Do("POST", "/theme")
			before, planted := onlyFile(t, dir), *c
			c.Do("POST", "/login")
			if onlyFile(t, dir) != before {
				t.Error("another ID")
			}
			want(t, &planted, "GET", "/user", "alice@example.com")
		},
		"MaxAge counts from the last save: no idle timeout, no absolute one": func(t *testing.T) {
			s := newGorillaSite(newFiles(t, hashKey))
			synctest.Test(t, func(t *testing.T) {
				c := s.login(t)
				for range 12 {
					time.Sleep(29 * 24 * time.Hour)
					c.Do("POST", "/theme")
					want(t, c, "GET", "/user", "alice@example.com")
				}
				for range 30 {
					want(t, c, "GET", "/user", "alice@example.com")
					time.Sleep(24 * time.Hour)
				}
				time.Sleep(2 * time.Second)
				want(t, c, "GET", "/user", "")
			})
		},
		"keys are rotated": func(t *testing.T) {
			before := securecookie.GenerateRandomKey(32)
			c := newGorillaSite(gorilla.NewCookieStore(before)).login(t)
			after := newGorillaSite(gorilla.NewCookieStore(hashKey, nil, before, nil)).handler
			want(t, benchmarks.NewClient(showing(after, c.Shown()), benchmarks.ByCookie), "GET", "/user", "alice@example.com")
		},
		"sessions are found by cookie only": func(t *testing.T) {
			s := newGorillaSite(newFiles(t, hashKey))
			_, token, _ := strings.Cut(s.login(t).Shown(), "=")
			want(t, benchmarks.NewClient(inHeader(s.handler, token), benchmarks.ByCookie), "GET", "/user", "")
		},
		"a CookieStore's cookies: Secure and SameSite=None, not HttpOnly": func(t *testing.T) {
			c := cookieOf(newGorillaSite(gorilla.NewCookieStore(hashKey)))
			if c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteNoneMode {
				t.Error(c)
			}
		},
		"a FilesystemStore's cookies: neither Secure, HttpOnly nor SameSite": func(t *testing.T) {
			c := cookieOf(newGorillaSite(newFiles(t, hashKey)))
			if c.HttpOnly || c.Secure || c.SameSite > http.SameSiteDefaultMode {
				t.Error(c)
			}
		},
	}.test(t)
}

// showing is a handler whose requests show a cookie.
func showing(h http.Handler, cookie string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Cookie", cookie)
		h.ServeHTTP(w, r)
	})
}

// decodes reports whether a text can be found in what securecookie made.
func decodes(value, text string) bool {
	b, err := base64.URLEncoding.DecodeString(value)
	if err != nil {
		return false
	}
	parts := strings.SplitN(string(b), "|", 3) // the time, the value, the signature
	if len(parts) != 3 {
		return false
	}
	inner, err := base64.URLEncoding.DecodeString(parts[1])
	return err == nil && strings.Contains(string(inner), text)
}

func onlyFile(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "session_*"))
	if err != nil || len(files) != 1 {
		t.Fatal(err, files)
	}
	return files[0]
}

func get(store gorilla.Store, cookie string) error {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", cookie)
	_, err := store.Get(r, "session")
	return err
}

func cookieOf(s *gorillaSite) *http.Cookie {
	return benchmarks.NewClient(s.handler, benchmarks.ByCookie).Do("POST", "/login").Result().Cookies()[0]
}
