package chimw_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

// What a guard turns away is one event, with the guard's reason and the session's ID.
func TestE3GuardsReport(t *testing.T) { //nolint:tparallel // the subtests take turns at one list of events
	t.Parallel()
	h := build(t, func(_ *session.Config, c *chimw.Config) {
		c.Fingerprint = func(context.Context, string) (string, error) { return "new", nil }
	})
	signIn := func(print string) *session.Session {
		s := h.manager.New()
		s.SetSubject("alice")
		s.SetFingerprint(print)
		if err := s.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	}
	anonymous, alice, stale := h.session("nobody"), signIn("new"), signIn("old")
	token, program := h.token("client")
	staleID := stale.ID()
	never := h.mw.Require(func(*http.Request, *session.Session) bool { return false })
	const none = "X: y"
	for name, tt := range map[string]struct {
		guard  func(http.Handler) http.Handler
		shown  string
		reason string // "" for none
		id     session.ID
		detail string
	}{
		"RequireSession without any":       {h.mw.RequireSession, none, "no session", session.ID{}, "A session is required."},
		"RequireSubject without any":       {h.mw.RequireSubject, none, "no session", session.ID{}, "A session is required."},
		"RequireSubject without a subject": {h.mw.RequireSubject, cookieOf(anonymous), "no subject", anonymous.ID(), "Signing in is required."},
		"RequireToken with a cookie":       {h.mw.RequireToken, cookieOf(alice), "no token", alice.ID(), "A token is required."},
		"RequireToken without any":         {h.mw.RequireToken, none, "no token", session.ID{}, "A token is required."},
		"Require by cookie":                {never, cookieOf(alice), "not allowed", alice.ID(), "The session may not do this."},
		"Require by token":                 {never, header(token), "not allowed", program.ID(), "The session may not do this."},
		"S12 another fingerprint":          {h.mw.RequireSubject, cookieOf(stale), "another fingerprint", staleID, "Signing in is required."},
		"who is let through":               {h.mw.RequireSubject, cookieOf(alice), "", session.ID{}, ""},
	} {
		t.Run("E3 "+name, func(t *testing.T) {
			before := len(h.events)
			res := h.serve(tt.guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP, request("GET", "", tt.shown))
			events := slices.DeleteFunc(slices.Clone(h.events[before:]), func(e session.Event) bool { return e.Kind == session.Destroyed })
			if tt.reason == "" {
				if len(events) > 0 {
					t.Errorf("%+v", events)
				}
				return
			}
			wantDetail(t, res, tt.detail)
			if len(events) != 1 {
				t.Fatalf("%d events: %+v", len(events), events)
			}
			if e := events[0]; e.Kind != session.Rejected || e.Reason != tt.reason || e.ID != tt.id {
				t.Errorf("%+v, want reason %q and ID %v", e, tt.reason, tt.id)
			}
		})
	}
}

// Each reason for a 403 has a text of its own: who is told of another site looks
// for it in vain if there was none.
func TestForbiddenSaysWhy(t *testing.T) {
	t.Parallel()
	h := build(t)
	wantDetail(t, h.serve(who, request("POST", "", "Sec-Fetch-Site: cross-site")), "The request was sent by another site.")
	for _, err := range []error{chimw.ErrCookieOnly, chimw.ErrExternal} {
		res := h.serve(func(w http.ResponseWriter, r *http.Request) { h.mw.Error(w, r, err) }, request("GET", ""))
		wantDetail(t, res, "The session may not do this.")
	}
}

func wantDetail(t *testing.T, res *http.Response, want string) {
	t.Helper()
	var p chimw.Problem
	if text := body(t, res); json.Unmarshal([]byte(text), &p) != nil || p.Detail != want {
		t.Errorf("%s, want %q", text, want)
	}
}
