package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
)

func TestToken(t *testing.T) {
	t.Parallel()
	base := serve(t, nil, "-lifetime", "90m", "-api-keys", "alpha")

	t.Run("of a new session, which it alone carries", func(t *testing.T) {
		t.Parallel()
		asked := time.Now()
		a := newClient(t, base).post("/token").want(t, http.StatusCreated).wantNoCookie(t).wantType(t, "application/json")
		var g map[string]string
		a.decode(t, &g)
		if len(g) != 3 || g["token_type"] != "Bearer" {
			t.Errorf("%s", a.body)
		}
		expires, err := time.Parse(time.RFC3339, g["expires_at"])
		if left := expires.Sub(asked); err != nil || left > 90*time.Minute+await.Limit || left < 89*time.Minute {
			t.Errorf("expires_at %q: %v", g["expires_at"], err)
		}
		if d := with(t, base, "X-Auth-Token", g["token"]).session(); d.ID == nil || d.Carrier != "token" || d.Deadline.Before(expires) {
			t.Errorf("%+v", d)
		}
	})
	t.Run("K2 is no-store", func(t *testing.T) {
		t.Parallel()
		a := newClient(t, base).post("/token")
		if got := a.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control %q", got)
		}
	})
	t.Run("X1 a cookie decides, and the token's session is left alone", func(t *testing.T) {
		t.Parallel()
		token := newClient(t, base).token()
		browser := newClient(t, base)
		browser.identifier()
		browser.post("/visits", "X-Auth-Token", token).want(t, http.StatusOK)
		if d := with(t, base, "X-Auth-Token", token).session(); d.Visits != 0 || d.id() == browser.session().id() {
			t.Errorf("%+v", d)
		}
		if got := browser.session().Visits; got != 1 {
			t.Errorf("%d visits by cookie", got)
		}
	})
	t.Run("none for an API key, which is one", func(t *testing.T) {
		t.Parallel()
		with(t, base, "X-Auth-Token", "alpha").post("/token").wantProblem(t, http.StatusForbidden, "token that you showed")
	})
	t.Run("H3 two that differ", func(t *testing.T) {
		t.Parallel()
		c := with(t, base, "X-Auth-Token", newClient(t, base).token())
		c.get("/", "Authorization", "Bearer other").want(t, http.StatusBadRequest)
	})
}

func TestForgedTokens(t *testing.T) { //nolint:tparallel // the last subtest reads what the others made the program log
	t.Parallel()
	base, log := serveLogged(t, nil)
	token := newClient(t, base).token()
	for name, forged := range map[string]string{
		"made up": "made-up", "cut short": token[:len(token)-1], "of another key": newClient(t, serve(t, nil)).token(),
	} {
		t.Run("H7 "+name, func(t *testing.T) {
			for _, c := range []*client{with(t, base, "X-Auth-Token", forged), with(t, base, "Authorization", "Bearer "+forged)} {
				a := c.get("/").wantNoCookie(t)
				a.wantProblem(t, http.StatusUnauthorized, "The token is not valid.")
				if got := a.Header.Get("WWW-Authenticate"); got != `Bearer realm="session", error="invalid_token"` {
					t.Errorf("WWW-Authenticate %q", got)
				}
			}
			newClient(t, base).postJSON("/", `{"token":"`+forged+`"}`).wantNoCookie(t).wantProblem(t, http.StatusUnauthorized, "not valid")
		})
	}
	t.Run("E2 no log has a token or a cookie", func(t *testing.T) {
		c := newClient(t, base)
		c.identifier()
		log.Await(t, "event=rejected")
		for _, secret := range []string{token, token[:len(token)-1], "made-up", c.cookies()[0].Value} {
			if strings.Contains(log.String(), secret) {
				t.Errorf("%q is in the log", secret)
			}
		}
	})
}
