package chimw_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

func TestGuards(t *testing.T) {
	t.Parallel()
	prints := map[string]string{"alice": "one", "bob": "one"}
	h := build(t, func(_ *session.Config, c *chimw.Config) {
		c.Fingerprint = func(_ context.Context, subject string) (string, error) {
			if subject == "carol" {
				return "", errors.New("the database is down")
			}
			return prints[subject], nil
		}
	})
	anonymous := cookieOf(h.session("nobody"))
	tok, _ := h.token("client")
	alice, bob, carol := h.signedIn("alice", "one"), h.signedIn("bob", "an old one"), h.signedIn("carol", "one")
	never := func(*http.Request, *session.Session) bool { return false }
	for name, c := range map[string]struct {
		guard     func(http.Handler) http.Handler
		shown     string
		status    int
		challenge string
	}{
		"H6 RequireSession without any":       {h.mw.RequireSession, "X: y", 401, `Bearer realm="session"`},
		"RequireSession with a cookie":        {h.mw.RequireSession, anonymous, 200, ""},
		"RequireSession with a token":         {h.mw.RequireSession, header(tok), 200, ""},
		"H6 RequireSubject without any":       {h.mw.RequireSubject, "X: y", 401, `Bearer realm="session"`},
		"H6 RequireSubject without a subject": {h.mw.RequireSubject, anonymous, 401, `Bearer realm="session"`},
		"RequireSubject":                      {h.mw.RequireSubject, alice, 200, ""},
		"S12 another fingerprint":             {h.mw.RequireSubject, bob, 401, `Bearer realm="session"`},
		"S12 an unknown fingerprint":          {h.mw.RequireSubject, carol, 503, ""},
		"H5 RequireToken without any":         {h.mw.RequireToken, "X: y", 401, `Bearer realm="session"`},
		"H5 RequireToken with a cookie":       {h.mw.RequireToken, alice, 401, `Bearer realm="session"`},
		"RequireToken with a token":           {h.mw.RequireToken, header(tok), 200, ""},
		"Require by cookie":                   {h.mw.Require(never), alice, 403, ""},
		"H7 Require by token":                 {h.mw.Require(never), header(tok), 403, `Bearer realm="session", error="insufficient_scope"`},
		"H5 H6 Require without any":           {h.mw.Require(never), "X: y", 401, `Bearer realm="session"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ran := false
			res := h.serve(c.guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran = true })).ServeHTTP, request("GET", "", c.shown))
			wantStatus(t, res, c.status)
			wantHeader(t, res, "WWW-Authenticate", c.challenge)
			if ran != (c.status == 200) {
				t.Errorf("the handler ran: %v", ran)
			}
			if strings.HasPrefix(name, "S12 another") {
				wantExpired(t, res)
				if got := body(t, h.serve(func(w http.ResponseWriter, r *http.Request) {
					io.WriteString(w, session.FromContext(r.Context()).Subject())
				}, request("GET", "", c.shown))); got != "" {
					t.Errorf("the session is still %q's", got)
				}
			}
		})
	}
}

func TestGuardsOutsideOfTheMiddlewareRefuse(t *testing.T) {
	t.Parallel()
	h := build(t)
	alice := h.signedIn("alice", "")
	t.Run("outside of the middleware: refused", func(t *testing.T) {
		for _, guard := range []func(http.Handler) http.Handler{h.mw.RequireSession, h.mw.RequireSubject, h.mw.RequireToken} {
			res := direct(guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") })), request("GET", "", alice))
			if res.StatusCode < 400 {
				t.Errorf("status is %d", res.StatusCode)
			}
		}
	})
}

func TestFingerprintWithoutIndex(t *testing.T) {
	t.Parallel()
	t.Run("S12 it holds with the index lost", func(t *testing.T) {
		t.Parallel()
		print := "the old password's"
		h := build(t, func(_ *session.Config, c *chimw.Config) {
			c.Fingerprint = func(context.Context, string) (string, error) { return print, nil }
		})
		h.store.fail(func(_, key string) bool { return strings.Contains(key, ":subject:") })
		cookie := h.signedIn("alice", print)
		h.store.fail(nil)
		if live, err := h.manager.List(t.Context(), "alice"); err != nil || len(live) != 0 {
			t.Fatalf("the index has %v: the test shows nothing; %v", live, err)
		}
		guarded := h.mw.RequireSubject(http.HandlerFunc(who)).ServeHTTP
		wantStatus(t, h.serve(guarded, request("GET", "", cookie)), 200)
		print = "the new password's"
		wantStatus(t, h.serve(guarded, request("GET", "", cookie)), 401)
		print = "the old password's" // dead, not only refused
		wantStatus(t, h.serve(guarded, request("GET", "", cookie)), 401)
	})
}
