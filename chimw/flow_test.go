package chimw_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

const cookieAttributes = "; Path=/; HttpOnly; SameSite=Lax"

// given returns the credential that a response sets, as a Cookie header.
func given(t testing.TB, res *http.Response) string {
	t.Helper()
	lines := cookies(res)
	if len(lines) != 1 {
		t.Fatalf("Set-Cookie is %q, want one", lines)
	}
	pair, attributes, _ := strings.Cut(lines[0], ";")
	if ";"+attributes != cookieAttributes || len(pair) != len("session=")+64 {
		t.Fatalf("Set-Cookie is %q", lines[0])
	}
	return "Cookie: " + pair
}

func wantExpired(t testing.TB, res *http.Response) {
	t.Helper()
	if got := cookies(res); len(got) != 1 || got[0] != "session="+cookieAttributes+"; Max-Age=0" {
		t.Errorf("C10 Set-Cookie is %q, want the cookie taken back", got)
	}
}

func wantNoCookie(t testing.TB, res *http.Response) {
	t.Helper()
	if got := cookies(res); len(got) > 0 {
		t.Errorf("Set-Cookie is %q, want none", got)
	}
}

func put(value string) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) { owner.Put(session.FromContext(r.Context()), value) }
}

func change(f func(s *session.Session)) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) { f(session.FromContext(r.Context())) }
}

var (
	renew   = change((*session.Session).Renew)
	destroy = change((*session.Session).Destroy)
	login   = change(func(s *session.Session) { s.SetSubject("alice") })
)

func TestCookieFlow(t *testing.T) {
	t.Parallel()
	h := build(t)
	res := h.serve(put("me"), request("POST", ""))
	first := given(t, res)
	wantHeader(t, res, "Cache-Control", "no-store")
	t.Run("a cookie brings the session back, and is set once", func(t *testing.T) {
		res := h.serve(who, request("GET", "", first))
		if got := body(t, res); got != "me" {
			t.Errorf("the session is %q's", got)
		}
		wantNoCookie(t, res)
		wantHeader(t, res, "Cache-Control", "no-cache, private")
	})
	var second string
	t.Run("S5 a login renews", func(t *testing.T) {
		second = given(t, h.serve(login, request("POST", "", first)))
		if got := body(t, h.serve(who, request("GET", "", first))); got != "" {
			t.Errorf("the old cookie opens %q's session", got)
		}
		if got := body(t, h.serve(who, request("GET", "", second))); got != "me" {
			t.Errorf("the new cookie opens %q's session", got)
		}
	})
	t.Run("S19 a late answer to the old cookie leaves the new one alone", func(t *testing.T) {
		wantNoCookie(t, h.serve(who, request("GET", "", first)))
		res := h.serve(put("late"), request("POST", "", first))
		wantStatus(t, res, http.StatusConflict)
		wantNoCookie(t, res)
		if got := body(t, h.serve(who, request("GET", "", second))); got != "me" {
			t.Errorf("the session is %q's now", got)
		}
	})
	t.Run("S19 a double-clicked login gives a session of its own", func(t *testing.T) {
		third := given(t, h.serve(login, request("POST", "", first)))
		if third == second {
			t.Error("the same credential was given twice")
		}
		if got := body(t, h.serve(who, request("GET", "", second))); got != "me" {
			t.Errorf("the session is %q's now", got)
		}
	})
	t.Run("S7 C10 logout expires the cookie, and replay fails", func(t *testing.T) {
		wantExpired(t, h.serve(destroy, request("POST", "", second)))
		if got := body(t, h.serve(who, request("GET", "", second))); got != "" {
			t.Errorf("the cookie opens %q's session", got)
		}
		wantExpired(t, h.serve(destroy, request("POST", "", second))) // again, by a dead cookie
	})
	t.Run("C9 renewed twice and destroyed: one Set-Cookie", func(t *testing.T) {
		c := given(t, h.serve(put("x"), request("POST", "")))
		res := h.serve(func(w http.ResponseWriter, r *http.Request) {
			s := session.FromContext(r.Context())
			for range 2 {
				s.Renew()
				if err := s.Commit(r.Context()); err != nil {
					t.Error(err)
				}
			}
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "mine"})
			http.SetCookie(w, &http.Cookie{Name: "session2", Value: "other"})
			s.Destroy()
		}, request("POST", "", c))
		if got := cookies(res); len(got) != 2 || got[0] != "session2=other" || got[1] != "session="+cookieAttributes+"; Max-Age=0" {
			t.Errorf("Set-Cookie is %q", got)
		}
	})
	t.Run("destroy, then a message for the next page", func(t *testing.T) {
		c := given(t, h.serve(put("x"), request("POST", "")))
		next := given(t, h.serve(change(func(s *session.Session) { s.Destroy(); owner.Put(s, "bye") }), request("POST", "", c)))
		if got := body(t, h.serve(who, request("GET", "", c))) + body(t, h.serve(who, request("GET", "", next))); got != "bye" {
			t.Errorf("the two sessions hold %q", got)
		}
	})
}

func TestTokenFlow(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]option{
		"signed": func(*session.Config, *chimw.Config) {},
		"opaque": func(_ *session.Config, c *chimw.Config) { c.Tokens = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, o)
			issue := func(w http.ResponseWriter, r *http.Request) {
				tok, err := h.mw.IssueToken(r.Context(), session.FromContext(r.Context()))
				if err != nil {
					h.mw.Error(w, r, err)
					return
				}
				w.Header().Set("Cache-Control", "public, max-age=600")
				io.WriteString(w, tok.Reveal())
			}
			res := h.serve(issue, request("POST", ""))
			wantNoCookie(t, res)
			wantHeader(t, res, "Cache-Control", "no-store")
			tok := body(t, res)
			wantNoCookie(t, h.serve(put("client"), request("POST", "", header(tok))))
			if got := body(t, h.serve(who, request("GET", "", "Authorization: Bearer "+tok))); got != "client" {
				t.Errorf("the session is %q's", got)
			}
			t.Run("S5 a renewal gives a fresh token in the header, and the old one is dead", func(t *testing.T) {
				res := h.serve(login, request("POST", "", header(tok)))
				wantNoCookie(t, res)
				wantHeader(t, res, "Cache-Control", "no-store")
				next := res.Header.Get("X-Auth-Token")
				if next == "" || next == tok {
					t.Fatalf("X-Auth-Token is %q", next)
				}
				wantStatus(t, h.serve(who, request("GET", "", header(tok))), 401)
				if got := body(t, h.serve(who, request("GET", "", header(next)))); got != "client" {
					t.Errorf("the session is %q's", got)
				}
				tok = next
			})
			t.Run("a token for a session of its own", func(t *testing.T) {
				cookie := given(t, h.serve(put("browser"), request("POST", "")))
				res := h.serve(func(w http.ResponseWriter, r *http.Request) {
					s := h.manager.New()
					owner.Put(s, "robot")
					tok, err := h.mw.IssueToken(r.Context(), s)
					if err != nil {
						t.Error(err)
					}
					io.WriteString(w, tok.Reveal())
				}, request("POST", "", cookie))
				wantNoCookie(t, res)
				wantHeader(t, res, "Cache-Control", "no-store")
				if got := body(t, h.serve(who, request("GET", "", header(body(t, res))))); got != "robot" {
					t.Errorf("the session is %q's", got)
				}
			})
			t.Run("a token for a cookie's session", func(t *testing.T) {
				cookie := given(t, h.serve(put("browser"), request("POST", "")))
				res := h.serve(issue, request("POST", "", cookie))
				if name == "opaque" { // its credential must not leave the cookie
					wantStatus(t, res, 403)
					return
				}
				wantNoCookie(t, res)
				tok := body(t, res)
				wantExpired(t, h.serve(destroy, request("POST", "", cookie)))
				wantStatus(t, h.serve(who, request("GET", "", header(tok))), 401) // it ends with the session
			})
			t.Run("S7 logout, then a new session by the same carrier", func(t *testing.T) {
				res := h.serve(change(func(s *session.Session) { s.Destroy(); owner.Put(s, "after") }), request("POST", "", header(tok)))
				wantNoCookie(t, res)
				next := res.Header.Get("X-Auth-Token")
				if got := body(t, h.serve(who, request("GET", "", header(next)))); got != "after" {
					t.Errorf("the session is %q's", got)
				}
				wantStatus(t, h.serve(who, request("GET", "", header(tok))), 401)
				res = h.serve(destroy, request("POST", "", header(next)))
				wantNoCookie(t, res)
				wantHeader(t, res, "X-Auth-Token", "")
				wantStatus(t, h.serve(who, request("GET", "", header(next))), 401)
			})
		})
	}
}

func TestOpaqueTokenIsNoCookie(t *testing.T) {
	t.Parallel()
	h := build(t, func(_ *session.Config, c *chimw.Config) { c.Tokens = nil })
	s := h.session("browser")
	t.Run("but the other way round: an opaque token is a credential", func(t *testing.T) {
		tok, _ := h.token("client")
		if got := body(t, h.serve(who, request("GET", "", "Cookie: session="+tok))); got != "client" {
			t.Errorf("the session is %q's", got)
		}
	})
	t.Run("J15 a cookie's credential opens nothing in a header", func(t *testing.T) {
		wantStatus(t, h.serve(who, request("GET", "", header(s.Credential().Reveal()))), 401)
	})
}

func TestAPIOnly(t *testing.T) {
	t.Parallel()
	h := build(t, func(_ *session.Config, c *chimw.Config) { c.NoCookie = true })
	res := h.serve(put("client"), request("POST", ""))
	wantNoCookie(t, res)
	wantHeader(t, res, "Vary", "X-Auth-Token, Authorization")
	if got := body(t, h.serve(who, request("GET", "", header(res.Header.Get("X-Auth-Token"))))); got != "client" {
		t.Errorf("the session is %q's", got)
	}
	res = h.serve(who, request("GET", ""))
	if res.Header.Get("X-Auth-Token") != "" || h.store.writes.Load() != 1 {
		t.Error("an anonymous request was given a session")
	}
}

func TestBrowserOnly(t *testing.T) {
	t.Parallel()
	h := build(t, func(_ *session.Config, c *chimw.Config) { c.NoHeader = true })
	tok, _ := h.token("client")
	res := h.serve(who, request("GET", "", header(tok)))
	wantHeader(t, res, "Vary", "Cookie")
	if got := body(t, res); got != "" {
		t.Errorf("the session is %q's", got)
	}
}

func TestRefreshTokens(t *testing.T) {
	t.Parallel()
	h := build(t, func(_ *session.Config, c *chimw.Config) {
		c.RefreshTokens = true
		c.Tokens = stale{c.Tokens}
	})
	tok, s := h.token("client")
	res := h.serve(who, request("GET", "", header(tok)))
	next := res.Header.Get("X-Auth-Token")
	wantHeader(t, res, "Cache-Control", "no-store")
	if next == "" {
		t.Fatal("no fresh token")
	}
	if got := body(t, h.serve(who, request("GET", "", header(next)))); got != "client" {
		t.Errorf("the session is %q's", got)
	}
	wantStatus(t, h.serve(who, request("GET", "", header(tok))), 200) // a client that ignores it loses nothing
	wantHeader(t, h.serve(who, request("GET", "", cookieOf(s))), "X-Auth-Token", "")
}

// stale advises to replace every token.
type stale struct{ chimw.Tokens }

func (stale) ShouldReissue(string) bool { return true }

func TestCommitErrors(t *testing.T) {
	t.Parallel()
	h := build(t)
	var cookie string
	reply := func(f func(s *session.Session)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			f(session.FromContext(r.Context()))
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Length", "11")
			w.Header().Set("Location", "/elsewhere")
			http.SetCookie(w, &http.Cookie{Name: "mine", Value: "1"})
			w.WriteHeader(http.StatusFound)
			if _, err := io.WriteString(w, "the handler"); err == nil {
				t.Error("the discarded body was taken without an error")
			}
		}
	}
	for name, c := range map[string]struct {
		do     func(s *session.Session)
		fail   func(op, key string) bool
		status int
	}{
		"M5 the store fails": {func(s *session.Session) { count.Put(s, 1) }, writes, 503},
		"M8 too large":       {func(s *session.Session) { owner.Put(s, strings.Repeat("x", 20000)) }, nil, 500},
		"unencodable":        {func(s *session.Session) { session.Key[any]("odd").Put(s, func() {}) }, nil, 500},
		"S8 gone": {func(s *session.Session) {
			h.serve(destroy, request("POST", "", cookie)) // another tab
			count.Put(s, 1)
		}, nil, 409},
	} {
		t.Run(name, func(t *testing.T) {
			cookie = cookieOf(h.session("me"))
			h.store.fail(c.fail)
			res := h.serve(reply(c.do), request("POST", "", cookie))
			h.store.fail(nil)
			wantStatus(t, res, c.status)
			wantNoCookie(t, res)
			wantHeader(t, res, "Content-Type", "application/problem+json")
			wantHeader(t, res, "Location", "")
			wantHeader(t, res, "Cache-Control", "no-store")
			if got := body(t, res); strings.Contains(got, "the handler") || strings.Contains(got, errDown.Error()) {
				t.Errorf("E1 body is %s", got)
			}
			if c.status == 503 {
				wantHeader(t, res, "Retry-After", "2")
			}
		})
	}
}

func TestErrorIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	var handled []int
	h := build(t, func(_ *session.Config, c *chimw.Config) {
		c.ErrorHandler = func(w http.ResponseWriter, r *http.Request, p *chimw.Problem) {
			handled = append(handled, p.Status)
			chimw.WriteProblem(w, r, p)
		}
	})
	h.store.fail(writes)
	res := h.serve(func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		owner.Put(s, "me")
		if err := s.Commit(r.Context()); err != nil {
			h.mw.Error(w, r, err)
		}
	}, request("POST", ""))
	wantStatus(t, res, 503)
	wantNoCookie(t, res)
	if len(handled) != 1 {
		t.Errorf("the error handler was called for %v", handled)
	}
	if h.reported(session.Dropped, "after an error") || h.reported(session.Dropped, "late change") {
		t.Error("what the client was told is reported as lost")
	}
}

// An answer of the same status says nothing about changes, either.
func TestChangesLostBesideTheSameStatus(t *testing.T) {
	t.Parallel()
	h := build(t)
	cookie := cookieOf(h.session("me"))
	res := h.serve(func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		owner.Put(s, "somebody else")
		other, err := h.manager.Load(r.Context(), s.Credential())
		if err != nil {
			t.Fatal(err)
		}
		other.Destroy()
		if err := other.Commit(r.Context()); err != nil {
			t.Fatal(err)
		}
		h.mw.Error(w, r, &chimw.Problem{Status: 409, Title: "That name is taken"})
	}, request("POST", "", cookie))
	wantStatus(t, res, 409)
	if !h.reported(session.Dropped, "after an error") {
		t.Error("the loss was not reported")
	}
}

// An answer that is another error does not say that changes are lost.
func TestChangesLostAfterAnotherError(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.store.fail(writes)
	res := h.serve(func(w http.ResponseWriter, r *http.Request) {
		owner.Put(session.FromContext(r.Context()), "me")
		h.mw.Error(w, r, &chimw.Problem{Status: 400})
	}, request("POST", ""))
	wantStatus(t, res, 400)
	if !h.reported(session.Dropped, "after an error") || h.reported(session.Dropped, "late change") {
		t.Error("the loss was not reported once")
	}
}

func TestStoreDown(t *testing.T) {
	t.Parallel()
	h := build(t)
	cookie := cookieOf(h.session("me"))
	h.store.fail(everything)
	t.Run("M5 a cookie's session: 503, no cookie touched, no handler", func(t *testing.T) {
		res := h.serve(func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") }, request("GET", "", cookie))
		wantStatus(t, res, 503)
		wantHeader(t, res, "Retry-After", "2")
		wantNoCookie(t, res)
	})
	t.Run("anonymous requests are served", func(t *testing.T) {
		wantStatus(t, h.serve(who, request("GET", "")), 200)
	})
	t.Run("Forget takes the cookie back without the store", func(t *testing.T) {
		res := h.serve(func(w http.ResponseWriter, _ *http.Request) { h.mw.Forget(w) }, request("POST", ""))
		wantExpired(t, res)
	})
}

func TestCancelledLogout(t *testing.T) {
	t.Parallel()
	h := build(t)
	cookie := cookieOf(h.session("me"))
	t.Run("S7 the tab was closed", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		h.serve(func(_ http.ResponseWriter, r *http.Request) {
			session.FromContext(r.Context()).Destroy()
			cancel()
		}, request("POST", "", cookie).WithContext(ctx))
		if got := body(t, h.serve(who, request("GET", "", cookie))); got != "" {
			t.Errorf("the cookie opens %q's session", got)
		}
	})
}

func TestPersistent(t *testing.T) {
	t.Parallel()
	t.Run("C7 C8 at most 400 days", func(t *testing.T) { synctest.Test(t, testPersistent) })
}

func testPersistent(t *testing.T) {
	func() {
		h := build(t, func(m *session.Config, c *chimw.Config) {
			c.Persistent = true
			m.Lifetime, m.MaxLifetime = time.Hour, 400*24*time.Hour
		})
		res := h.serve(put("me"), request("POST", ""))
		line := cookies(res)[0]
		if !strings.HasSuffix(line, "; Max-Age=3600") {
			t.Errorf("Set-Cookie is %q, want Max-Age=3600", line)
		}
		pair, _, _ := strings.Cut(line, ";")
		res = h.serve(change(func(s *session.Session) { s.ExpireAt(time.Now().Add(1000 * 24 * time.Hour)) }), request("POST", "", "Cookie: "+pair))
		if got := cookies(res); len(got) != 1 || !strings.HasPrefix(got[0], pair) || !strings.HasSuffix(got[0], "; Max-Age=34560000") {
			t.Errorf("C7 Set-Cookie is %q, want the same value for 400 days", got)
		}
		wantNoCookie(t, h.serve(who, request("GET", "", "Cookie: "+pair)))
	}()
}

func TestIssueTokenForANewSession(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(s *session.Session) error{
		"not stored yet":         func(*session.Session) error { return nil },
		"committed by a handler": func(s *session.Session) error { owner.Put(s, "x"); return s.Commit(t.Context()) },
		"after a Destroy":        func(s *session.Session) error { s.Destroy(); return nil },
	} {
		t.Run(name+": it is carried by the token alone", func(t *testing.T) {
			t.Parallel()
			h := build(t)
			shown := "X: y"
			if name == "after a Destroy" {
				shown = cookieOf(h.session("me"))
			}
			res := h.serve(func(w http.ResponseWriter, r *http.Request) {
				s := session.FromContext(r.Context())
				if err := before(s); err != nil {
					t.Error(err)
				}
				tok, err := h.mw.IssueToken(r.Context(), s)
				if err != nil {
					t.Error(err)
				}
				io.WriteString(w, tok.Reveal())
			}, request("POST", "", shown))
			if shown == "X: y" {
				wantNoCookie(t, res)
			} else {
				wantExpired(t, res)
			}
			wantStatus(t, h.serve(who, request("GET", "", header(body(t, res)))), 200)
		})
	}
}

func TestBodyCutShort(t *testing.T) {
	t.Parallel()
	h := build(t, func(_ *session.Config, c *chimw.Config) { c.BodyField = "token" })
	tok, _ := h.token("me")
	text := `{"filler":"` + strings.Repeat("x", 200) + `","token":"` + tok + `"}`
	t.Run("by a limit outside", func(t *testing.T) {
		r := request("POST", text, "Content-Type: application/json")
		r.Body = http.MaxBytesReader(nil, r.Body, 100)
		wantStatus(t, h.serve(put("anonymous"), r), 413)
	})
	t.Run("by the client", func(t *testing.T) {
		r := request("POST", "", "Content-Type: application/json")
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(text[:100]), failing{}))
		res := h.serve(put("anonymous"), r)
		wantStatus(t, res, 400)
		wantHeader(t, res, "WWW-Authenticate", "")
		wantNoCookie(t, res)
	})
	t.Run("it is handed on intact otherwise", func(t *testing.T) {
		r := request("POST", text, "Content-Type: application/json")
		var got []byte
		wantStatus(t, h.serve(func(_ http.ResponseWriter, r *http.Request) { got, _ = io.ReadAll(r.Body) }, r), 200)
		if string(got) != text {
			t.Errorf("the handler reads %q", got)
		}
	})
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestIssueTokenErrors(t *testing.T) {
	t.Parallel()
	h := build(t)
	issue := func(r *http.Request) error {
		_, err := h.mw.IssueToken(r.Context(), session.FromContext(r.Context()))
		return err
	}
	t.Run("too late", func(t *testing.T) {
		h.serve(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "x")
			if err := issue(r); !errors.Is(err, session.ErrLate) {
				t.Errorf("error is %v", err)
			}
		}, request("POST", ""))
	})
	t.Run("the store fails", func(t *testing.T) {
		h.store.fail(everything)
		defer h.store.fail(nil)
		res := h.serve(func(w http.ResponseWriter, r *http.Request) {
			err := issue(r)
			if !errors.Is(err, session.ErrUnavailable) {
				t.Errorf("error is %v", err)
			}
			h.mw.Error(w, r, err)
		}, request("POST", ""))
		wantStatus(t, res, 503)
	})
	t.Run("a zero middleware", func(t *testing.T) {
		if _, err := new(chimw.Middleware).IssueToken(t.Context(), h.manager.New()); err == nil {
			t.Error("issued a token")
		}
	})
	t.Run("nil session", func(t *testing.T) {
		_, err := h.mw.IssueToken(t.Context(), nil)
		if !errors.Is(err, chimw.ErrForeign) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("another manager's session", func(t *testing.T) {
		_, err := h.mw.IssueToken(t.Context(), build(t).manager.New())
		if !errors.Is(err, chimw.ErrForeign) {
			t.Errorf("error is %v", err)
		}
	})
}
