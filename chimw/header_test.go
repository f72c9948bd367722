package chimw_test

import (
	"testing"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

func TestBearerLines(t *testing.T) {
	t.Parallel()
	h := build(t)
	tok, _ := h.token("me")
	bearer := "Authorization: Bearer " + tok
	for name, c := range map[string]struct {
		lines  []string
		status int
	}{
		"H3 twice the same":     {[]string{bearer, bearer}, 400},
		"H3 beside a Basic one": {[]string{bearer, "Authorization: Basic eDp5"}, 400},
		"H4 two others":         {[]string{"Authorization: Basic eDp5", "Authorization: Digest x"}, 200},
		"H1 two spaces":         {[]string{"Authorization: Bearer  " + tok}, 200},
		"H1 no token":           {[]string{"Authorization: Bearer"}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantStatus(t, h.serve(who, request("GET", "", c.lines...)), c.status)
		})
	}
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
