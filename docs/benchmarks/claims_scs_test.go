package benchmarks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"

	"github.com/coatcheck/coatcheck/docs/benchmarks"
)

// scsSite is a site with scs. Its routes are those of every claim, so that
// claims say what differs only.
type scsSite struct {
	*scs.SessionManager
	store   *memstore.MemStore
	handler http.Handler
	during  func() // while /slow and /look are being answered
}

func newSCSSite() *scsSite {
	s := &scsSite{SessionManager: scs.New(), store: memstore.NewWithCleanupInterval(0)}
	s.Store = s.store
	put := func(key, value string) http.HandlerFunc {
		return func(_ http.ResponseWriter, r *http.Request) { s.Put(r.Context(), key, value) }
	}
	s.handler = s.LoadAndSave(site(map[string]http.HandlerFunc{
		"/login":  put("user", "alice@example.com"),
		"/theme":  put("theme", "dark"),
		"/logout": func(_ http.ResponseWriter, r *http.Request) { s.Destroy(r.Context()) },
		"/renew":  func(_ http.ResponseWriter, r *http.Request) { s.RenewToken(r.Context()) },
		"/user":   func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, s.GetString(r.Context(), "user")) },
		"/themes": func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, s.GetString(r.Context(), "theme")) },
		"/slow": func(_ http.ResponseWriter, r *http.Request) {
			s.during()
			s.Put(r.Context(), "page", "slow")
		},
		"/look": func(http.ResponseWriter, *http.Request) { s.during() },
		"/flush": func(w http.ResponseWriter, r *http.Request) {
			s.Put(r.Context(), "user", "alice@example.com")
			http.NewResponseController(w).Flush()
			io.WriteString(w, "an event")
		},
		"/late": func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "an answer")
			s.Put(r.Context(), "user", "alice@example.com")
		},
	}))
	return s
}

func (s *scsSite) client() *benchmarks.Client {
	return benchmarks.NewClient(s.handler, benchmarks.ByCookie)
}

func (s *scsSite) login(t *testing.T) *benchmarks.Client {
	t.Helper()
	c := s.client()
	c.Do("POST", "/login")
	want(t, c, "GET", "/user", "alice@example.com")
	return c
}

// stolen is a client that shows a text as its cookie.
func (s *scsSite) stolen(token string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.AddCookie(&http.Cookie{Name: s.Cookie.Name, Value: token})
		s.handler.ServeHTTP(w, r)
	})
}

// TestSCS shows what docs/comparison.md says of scs.
func TestSCS(t *testing.T) {
	claims{
		"concurrent changes are lost": func(t *testing.T) {
			s := newSCSSite()
			c := s.login(t)
			other := *c
			s.during = func() { other.Do("POST", "/theme") }
			c.Do("POST", "/slow")
			want(t, c, "GET", "/themes", "")
		},
		"a request under way brings back a session that was logged out": func(t *testing.T) {
			s := newSCSSite()
			c := s.login(t)
			before, other := *c, *c
			s.during = func() { other.Do("POST", "/logout") }
			c.Do("POST", "/slow")
			want(t, &before, "GET", "/user", "alice@example.com")
		},
		"with an idle timeout, one that only reads does so too": func(t *testing.T) {
			s := newSCSSite()
			s.IdleTimeout = time.Hour
			c := s.login(t)
			before, other := *c, *c
			s.during = func() { other.Do("POST", "/logout") }
			c.Do("GET", "/look")
			want(t, &before, "GET", "/user", "alice@example.com")
		},
		"a made-up cookie asks the store": func(t *testing.T) {
			s := newSCSSite()
			asked := &countingStore{MemStore: s.store}
			s.Store = asked
			benchmarks.NewClient(s.stolen("made-up"), benchmarks.ByCookie).Do("GET", "/user")
			if asked.finds.Load() != 1 {
				t.Error(asked.finds.Load())
			}
		},
		"whoever reads the store reads sessions, and can use them": func(t *testing.T) {
			s := newSCSSite()
			s.login(t)
			token, data := s.only(t)
			if !bytes.Contains(data, []byte("alice@example.com")) {
				t.Errorf("%q", data)
			}
			want(t, benchmarks.NewClient(s.stolen(token), benchmarks.ByCookie), "GET", "/user", "alice@example.com")
		},
		"with HashTokenInStore nobody can use them": func(t *testing.T) {
			s := newSCSSite()
			s.HashTokenInStore = true
			s.login(t)
			token, _ := s.only(t)
			want(t, benchmarks.NewClient(s.stolen(token), benchmarks.ByCookie), "GET", "/user", "")
		},
		"a codec of one's own decides what is stored": func(t *testing.T) {
			s := newSCSSite()
			s.Codec = jsonCodec{}
			s.login(t)
			if _, data := s.only(t); !json.Valid(data) {
				t.Errorf("%q", data)
			}
		},
		"Iterate ends all sessions of one user": func(t *testing.T) {
			s := newSCSSite()
			a, b := s.login(t), s.login(t)
			s.endAll(t)
			want(t, a, "GET", "/user", "")
			want(t, b, "GET", "/user", "")
		},
		"Iterate ends none where tokens are hashed": func(t *testing.T) {
			s := newSCSSite()
			s.HashTokenInStore = true
			c := s.login(t)
			s.endAll(t)
			want(t, c, "GET", "/user", "alice@example.com")
		},
		"idle and absolute timeouts": func(t *testing.T) {
			s := newSCSSite() // outside of the bubble, for scs.New leaves a goroutine behind
			synctest.Test(t, func(t *testing.T) {
				s.IdleTimeout, s.Lifetime = 30*time.Minute, time.Hour
				a, b := s.login(t), s.login(t)
				time.Sleep(29 * time.Minute)
				want(t, a, "GET", "/user", "alice@example.com")
				time.Sleep(2 * time.Minute)
				want(t, b, "GET", "/user", "")
				time.Sleep(26 * time.Minute)
				want(t, a, "GET", "/user", "alice@example.com")
				time.Sleep(4 * time.Minute)
				want(t, a, "GET", "/user", "")
			})
		},
		"timeouts are for the store to keep": func(t *testing.T) {
			s := newSCSSite() // outside of the bubble, for scs.New leaves a goroutine behind
			synctest.Test(t, func(t *testing.T) {
				s.Store = immortal{s.store}
				s.IdleTimeout, s.Lifetime = 30*time.Minute, time.Hour
				c := s.login(t)
				time.Sleep(48 * time.Hour)
				want(t, c, "GET", "/user", "alice@example.com")
			})
		},
		"RenewToken changes the token, and the one before is dead": func(t *testing.T) {
			s := newSCSSite()
			c := s.login(t)
			before := *c
			c.Do("POST", "/renew")
			want(t, c, "GET", "/user", "alice@example.com")
			want(t, &before, "GET", "/user", "")
		},
		"a Flush before the first Write loses the cookie": func(t *testing.T) {
			res := newSCSSite().client().Do("POST", "/flush")
			if lines := res.Result().Header["Set-Cookie"]; len(lines) > 0 || res.Body.String() != "an event" {
				t.Errorf("%q, %q", lines, res.Body)
			}
		},
		"a change after the first Write is lost": func(t *testing.T) {
			s := newSCSSite()
			c := s.client()
			want(t, c, "POST", "/late", "an answer")
			want(t, c, "GET", "/user", "")
		},
		"a failed commit's 500 has the handler's answer after it": func(t *testing.T) {
			s := newSCSSite()
			s.Store = fullStore{s.store}
			s.ErrorFunc = func(w http.ResponseWriter, _ *http.Request, _ error) {
				http.Error(w, "failed", http.StatusInternalServerError)
			}
			h := s.LoadAndSave(site(map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, r *http.Request) {
				s.Put(r.Context(), "balance", 1)
				io.WriteString(w, "your balance is 1")
			}}))
			res := benchmarks.NewClient(h, benchmarks.ByCookie).Do("POST", "/")
			if res.Code != http.StatusInternalServerError || res.Body.String() != "failed\nyour balance is 1" {
				t.Errorf("%d %q", res.Code, res.Body)
			}
		},
		"the middleware reads cookies only": func(t *testing.T) {
			s := newSCSSite()
			c := s.login(t)
			_, token, _ := strings.Cut(c.Shown(), "=")
			want(t, benchmarks.NewClient(inHeader(s.handler, token), benchmarks.ByCookie), "GET", "/user", "")
		},
		"Load takes a token from wherever one finds it": func(t *testing.T) {
			s := newSCSSite()
			c := s.login(t)
			_, token, _ := strings.Cut(c.Shown(), "=")
			ctx, err := s.Load(t.Context(), token)
			if err != nil || s.GetString(ctx, "user") != "alice@example.com" {
				t.Error(err, s.GetString(ctx, "user"))
			}
		},
		"cookies: HttpOnly and Lax, not Secure": func(t *testing.T) {
			c := newSCSSite().client().Do("POST", "/login").Result().Cookies()[0]
			if !c.HttpOnly || c.Secure || c.SameSite != http.SameSiteLaxMode {
				t.Error(c)
			}
		},
		"another site's request is for the cookie's SameSite to keep out": func(t *testing.T) {
			s := newSCSSite()
			c := s.login(t)
			crossing := benchmarks.NewClient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header.Set("Cookie", c.Shown())
				r.Header.Set("Sec-Fetch-Site", "cross-site")
				s.handler.ServeHTTP(w, r)
			}), benchmarks.ByCookie)
			crossing.Do("POST", "/theme")
			want(t, c, "GET", "/themes", "dark")
		},
	}.test(t)
}

// only returns the one session that is stored.
func (s *scsSite) only(t *testing.T) (token string, data []byte) {
	t.Helper()
	all, err := s.store.All()
	if err != nil || len(all) != 1 {
		t.Fatal(err, len(all))
	}
	for token, data = range all {
	}
	return token, data
}

// endAll is how scs's README ends all sessions of a user.
func (s *scsSite) endAll(t *testing.T) {
	t.Helper()
	err := s.Iterate(t.Context(), func(ctx context.Context) error {
		if s.GetString(ctx, "user") == "alice@example.com" {
			return s.Destroy(ctx)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// inHeader shows a token as API clients do.
func inHeader(h http.Handler, token string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("X-Auth-Token", token)
		h.ServeHTTP(w, r)
	})
}

type countingStore struct {
	*memstore.MemStore
	finds atomic.Int32
}

func (s *countingStore) Find(token string) ([]byte, bool, error) {
	s.finds.Add(1)
	return s.MemStore.Find(token)
}

// immortal is a store that takes no notice of when sessions end.
type immortal struct{ *memstore.MemStore }

func (s immortal) Commit(token string, b []byte, _ time.Time) error {
	return s.MemStore.Commit(token, b, time.Now().AddDate(1, 0, 0))
}

type fullStore struct{ *memstore.MemStore }

func (fullStore) Commit(string, []byte, time.Time) error { return errors.New("full") }

type jsonCodec struct{}

type jsonSession struct {
	Deadline time.Time
	Values   map[string]any
}

func (jsonCodec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	return json.Marshal(jsonSession{deadline, values})
}

func (jsonCodec) Decode(b []byte) (time.Time, map[string]any, error) {
	var s jsonSession
	err := json.Unmarshal(b, &s)
	return s.Deadline, s.Values, err
}
