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
	"github.com/coatcheck/coatcheck/tokens"
)

// refusing is an external verifier that accepts nothing.
type refusing struct{}

func (refusing) Identify(context.Context, string, string) (id [16]byte, ok bool, err error) {
	return id, false, nil
}

// Whatever is refused is one event, with its reason and, where the request
// names a session, its ID.
func TestE3Rejections(t *testing.T) { //nolint:tparallel // the subtests take turns at one list of events
	t.Parallel()
	h := build(t, func(s *session.Config, c *chimw.Config) {
		s.SealKeys = []session.SealKey{session.GenerateSealKey()}
		c.BodyField = "token"
	})
	external := build(t, func(_ *session.Config, c *chimw.Config) { c.External = refusing{} })
	foreign := build(t).session("somebody") // not sealed with these keys
	cookieOnly, live, ended := h.session("me"), h.session("me"), h.session("me")
	endedCookie, endedID := cookieOf(ended), ended.ID()
	ended.Destroy()
	if err := ended.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	renewed := h.session("me")
	oldCookie, old := cookieOf(renewed), renewed.ID()
	renewed.Renew()
	if err := renewed.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	token, _ := h.token("me")
	stolen, _, err := h.signer.Sign("session", cookieOnly.ID(), cookieOnly.Deadline())
	if err != nil {
		t.Fatal(err)
	}
	const crossSite, asJSON = "Sec-Fetch-Site: cross-site", "Content-Type: application/json"

	for name, tt := range map[string]struct {
		house   *house
		body    string
		headers []string
		status  int
		reason  string
		id      session.ID
		why     bool // Err says more
	}{
		"a forged token":                 {headers: []string{header(token[:len(token)-6] + "AAAAAA")}, status: 401, reason: "token", why: true},
		"a malformed token":              {headers: []string{"Authorization: Bearer ..."}, status: 401, reason: "token", why: true},
		"a forged token in a body":       {body: `{"token":"x"}`, headers: []string{asJSON}, status: 401, reason: "token", why: true},
		"a token for a cookie's session": {headers: []string{header(stolen)}, status: 401, reason: "never given a token", id: cookieOnly.ID()},
		"an external token":              {house: external, headers: []string{header("key")}, status: 401, reason: "external token"},
		"two tokens":                     {headers: []string{header("a"), header("b")}, status: 400, reason: "more than one token"},
		"two tokens in a body":           {body: `{"token":"a","token":"a"}`, headers: []string{asJSON}, status: 400, reason: "more than one token"},
		"a body that is not JSON":        {body: `token`, headers: []string{asJSON}, status: 400, reason: "body", why: true},
		"a body that is too large":       {body: `"` + strings.Repeat("a", chimw.DefaultMaxBody) + `"`, headers: []string{asJSON}, status: 413, reason: "body", why: true},
		"a malformed cookie":             {headers: []string{"Cookie: session=x"}, status: 200, reason: "malformed cookie"},
		"cookies that differ":            {headers: []string{"Cookie: session=x; session=y"}, status: 200, reason: "cookies that differ"},
		"a cookie of other keys":         {headers: []string{cookieOf(foreign)}, status: 200, reason: "credential not issued here", id: foreign.ID()},
		"a cookie after a logout":        {headers: []string{endedCookie}, status: 200, reason: "ended", id: endedID},
		"a cookie from before a renewal": {headers: []string{oldCookie}, status: 200, reason: "renewed", id: old},
		"another site":                   {headers: []string{crossSite}, status: 403, reason: "cross-origin", why: true},
		"another site, with a cookie":    {headers: []string{crossSite, cookieOf(live)}, status: 403, reason: "cross-origin", id: live.ID(), why: true},
		"another site, with a cookie and a header": {
			headers: []string{crossSite, cookieOf(live), header("x")}, status: 403, reason: "cross-origin", id: live.ID(), why: true,
		},
	} {
		t.Run("E3 "+name, func(t *testing.T) {
			house := h
			if tt.house != nil {
				house = tt.house
			}
			before := len(house.events)
			wantStatus(t, house.serve(who, request(http.MethodPost, tt.body, tt.headers...)), tt.status)
			events := house.events[before:]
			if len(events) != 1 {
				t.Fatalf("%d events: %+v", len(events), events)
			}
			e := events[0]
			if e.Kind != session.Rejected || e.Reason != tt.reason || e.ID != tt.id || e.Manager != "session" || (e.Err != nil) != tt.why {
				t.Errorf("%+v, want reason %q and ID %v", e, tt.reason, tt.id)
			}
			if e.Err != nil && strings.Contains(e.Err.Error(), token) {
				t.Errorf("E2 it holds a token: %v", e.Err)
			}
		})
	}
	t.Run("a request without a credential is none", func(t *testing.T) {
		before := len(h.events)
		wantStatus(t, h.serve(who, request(http.MethodPost, "")), 200)
		if got := h.events[before:]; len(got) > 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestOrdinaryRequestsReportNothing(t *testing.T) {
	t.Parallel()
	external, err := tokens.NewExternal(tokens.ExternalConfig{Key: tokens.GenerateKey(), Verify: verifyExternal})
	if err != nil {
		t.Fatal(err)
	}
	h := build(t, func(_ *session.Config, c *chimw.Config) { c.External = external })
	write := func(w http.ResponseWriter, r *http.Request) {
		put("me")(w, r)
		io.WriteString(w, "body")
	}
	first := h.serve(write, request("POST", ""))
	writes := h.store.writes.Load()
	h.serve(write, request("POST", "", header("external-good")))
	if n := h.store.writes.Load() - writes; n != 1 {
		t.Errorf("%d writes for an external client's first use, want 1", n)
	}
	h.serve(login, request("POST", "", given(t, first)))
	res := h.serve(func(w http.ResponseWriter, r *http.Request) {
		_, err := h.mw.IssueToken(r.Context(), session.FromContext(r.Context()))
		if !errors.Is(err, chimw.ErrExternal) {
			t.Errorf("error is %v", err)
		}
		h.mw.Error(w, r, err)
	}, request("POST", "", header("external-good")))
	wantStatus(t, res, 403)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events {
		if e.Kind == session.Dropped {
			t.Errorf("reported: %+v", e)
		}
	}
}
