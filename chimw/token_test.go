package chimw_test

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

func TestOpaqueTokenIsNoCookie(t *testing.T) {
	t.Parallel()
	h := build(t, opaque)
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

func TestIssueThenRenew(t *testing.T) {
	t.Parallel()
	h := build(t)
	res := h.serve(func(_ http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		if _, err := h.mw.IssueToken(r.Context(), s); err != nil {
			t.Error(err)
		}
		s.Renew()
	}, request("POST", "", cookieOf(h.session("me"))))
	given(t, res) // it came by cookie, and goes back so
}

func TestOpaqueTokenOfASessionIsAlwaysTheSame(t *testing.T) {
	t.Parallel()
	t.Run("asked for twice", func(t *testing.T) {
		t.Parallel()
		h := build(t, opaque)
		h.serve(func(_ http.ResponseWriter, r *http.Request) {
			s := session.FromContext(r.Context())
			a, err1 := h.mw.IssueToken(r.Context(), s)
			b, err2 := h.mw.IssueToken(r.Context(), s)
			if err1 != nil || err2 != nil || a.Reveal() != b.Reveal() {
				t.Errorf("%v, %v", err1, err2)
			}
		}, request("POST", ""))
	})
	t.Run("asked for by itself", func(t *testing.T) {
		t.Parallel()
		h := build(t, opaque)
		tok, _ := h.token("client")
		if got := body(t, h.serve(h.issue, request("POST", "", header(tok)))); got != tok {
			t.Error("the token's own session has another token")
		}
	})
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

func TestReissueThatFailsIsNoFailure(t *testing.T) {
	t.Parallel()
	h := build(t)
	tok, _ := h.token("client")
	broken, err := chimw.New(chimw.Config{
		Manager: h.manager, Tokens: stale{failingSigner{h.signer}}, InsecureCookie: true, RefreshTokens: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.mw = broken
	res := h.serve(who, request("GET", "", header(tok)))
	wantStatus(t, res, 200)
	wantHeader(t, res, "X-Auth-Token", "")
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

// failingSigner can't sign.
type failingSigner struct{ chimw.Tokens }

func (failingSigner) Sign(string, [16]byte, time.Time) (string, time.Time, error) {
	return "", time.Time{}, errors.New("no key")
}

func TestNoTokenWhereSigningFails(t *testing.T) {
	t.Parallel()
	h := build(t)
	broken, err := chimw.New(chimw.Config{Manager: h.manager, Tokens: failingSigner{h.signer}, InsecureCookie: true})
	if err != nil {
		t.Fatal(err)
	}
	tok, _ := h.token("client")
	h.mw = broken
	res := h.serve(renew, request("POST", "", header(tok)))
	wantStatus(t, res, 500)
	wantHeader(t, res, "X-Auth-Token", "")
	if _, err := broken.IssueToken(t.Context(), h.manager.New()); err == nil {
		t.Error("issued a token")
	}
}

func TestTokenEndsWithItsSession(t *testing.T) {
	t.Parallel()
	t.Run("J6 a token is never good for longer than its session", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			h := build(t, func(m *session.Config, _ *chimw.Config) { m.Lifetime, m.IdleTimeout = 10*time.Minute, 10*time.Minute })
			s := h.session("me")
			time.Sleep(9 * time.Minute)
			tok, err := h.mw.IssueToken(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			if left := time.Until(tok.ExpiresAt()); left <= 0 || left > time.Minute {
				t.Errorf("the token says that it has %v, want a minute", left)
			}
			time.Sleep(time.Minute)
			if _, err := h.signer.Verify("session", tok.Reveal()); err == nil {
				t.Error("the token still verifies")
			}
		})
	})
}
