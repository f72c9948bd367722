package main_test

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// An outcome is what POST /forge says to programs.
type outcome struct {
	Status     int
	Challenge  string `json:"www_authenticate"`
	Body       string
	GetsBefore *int `json:"gets_before"`
	GetsAfter  *int `json:"gets_after"`
}

// forgery is the text in the page's box.
func (a *answer) forgery(t *testing.T) string {
	t.Helper()
	return html.UnescapeString(a.element(t, "forgery"))
}

func (c *client) forge(token string) *answer {
	c.t.Helper()
	return c.postForm("/forge", url.Values{"forgery": {token}}.Encode())
}

const invalidToken = `Bearer realm="session", error="invalid_token"`

func TestForge(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	for store, memcached := range map[string]string{"embedded": "", "memcached": server.Addr()} {
		t.Run(store, func(t *testing.T) { //nolint:tparallel // the subtests take turns at one counter
			t.Parallel()
			base, log := serveLogged(t, env{"COATCHECK_KEYS": keyA}, "-memcached", memcached, "-header", "X-Ticket", "-idle", "30m")
			c := newBrowser(t, base)
			for kind, reason := range map[string]string{
				"": "bad signature", "key": "bad signature", "no-such-kind": "bad signature",
				"expired": "expired", "none": "not in this signer's form", "changed": "bad signature",
			} {
				t.Run("J3 "+kind, func(t *testing.T) {
					token := c.get("/?forgery="+kind).want(t, http.StatusOK).forgery(t)
					said := func() int { return strings.Count(log.String(), "tokens: invalid token: "+reason) }
					before := said()
					a := c.forge(token).wantPage(t, http.StatusOK, "The store was not asked at all.")
					if got := a.element(t, "forge-status"); got != "401 Unauthorized" {
						t.Errorf("status %q", got)
					}
					if got := html.UnescapeString(a.element(t, "forge-challenge")); got != invalidToken {
						t.Errorf("challenge %q", got)
					}
					if got := html.UnescapeString(a.element(t, "forge-body")); !strings.Contains(got, `"The token is not valid."`) {
						t.Errorf("body %q", got)
					}
					a.wantGets(t, 0)
					if a.forgery(t) != token {
						t.Errorf("the box now has %q", a.forgery(t))
					}
					if said() != before+1 { // it is logged before it is answered
						t.Errorf("it was not refused for %q:\n%s", reason, log)
					}
				})
			}
			t.Run("a good token is one get", func(t *testing.T) {
				program := newClient(t, base)
				token := program.token()
				a := c.forge("  "+token+"\r\n").wantPage(t, http.StatusOK, "The store was asked once.")
				if got := a.element(t, "forge-status"); got != "200 OK" {
					t.Errorf("status %q", got)
				}
				if got := html.UnescapeString(a.element(t, "forge-body")); !strings.Contains(got, with(t, base, "X-Ticket", token).session().id()) {
					t.Errorf("body %q", got)
				}
				a.wantGets(t, 1)
			})
			t.Run("for programs", func(t *testing.T) {
				var o outcome
				newClient(t, base).postJSON("/forge", `{"forgery":"made-up"}`).want(t, http.StatusOK).wantNoCookie(t).decode(t, &o)
				if o.Status != 401 || o.Challenge != invalidToken || o.GetsBefore == nil || o.GetsAfter == nil || *o.GetsAfter != *o.GetsBefore {
					t.Errorf("%+v", o)
				}
				if memcached != "" && *o.GetsAfter != server.Stat(t, "cmd_get") {
					t.Errorf("%d gets, and memcached has counted %d", *o.GetsAfter, server.Stat(t, "cmd_get"))
				}
			})
		})
	}
}

// Who tries at the same time as others is told of his own gets.
func TestForgeTakesTurns(t *testing.T) {
	t.Parallel()
	base := serve(t, nil)
	token := newClient(t, base).token()
	await.Together(4, func(int) { // of more, some would have to wait for too long on a busy machine
		c := newClient(t, base)
		for range 10 {
			var o outcome
			c.postJSON("/forge", `{"forgery":"`+token+`"}`).want(t, http.StatusOK).decode(t, &o)
			if o.Status != 200 || *o.GetsAfter-*o.GetsBefore != 1 {
				t.Errorf("status %d, gets from %d to %d", o.Status, *o.GetsBefore, *o.GetsAfter)
			}
		}
	})
}

// A node that hangs keeps a try waiting for as long as it may take; who waits for
// a turn behind the next one is told so. Nothing is wrong with the server.
func TestForgeWithTooManyWaiting(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	base, log := serveLogged(t, env{"COATCHECK_KEYS": keyA}, "-memcached", server.Addr())
	server.Pause()
	refused := make([]int, 4)
	await.Together(len(refused), func(i int) {
		a := newClient(t, base).postJSON("/forge", `{"forgery":"made-up"}`)
		if a.StatusCode == http.StatusOK {
			return
		}
		a.wantProblem(t, http.StatusTooManyRequests, "Too many are trying tokens")
		refused[i]++
	})
	if slices.Max(refused) == 0 || slices.Min(refused) != 0 {
		t.Errorf("refused %v: want some of them", refused)
	}
	if strings.Contains(log.String(), "msg=failed") {
		t.Errorf("it is logged as a failure:\n%s", log)
	}
}

func (a *answer) wantGets(t *testing.T, want int) {
	t.Helper()
	before, err := strconv.Atoi(a.element(t, "forge-gets-before"))
	after, err2 := strconv.Atoi(a.element(t, "forge-gets-after"))
	if err != nil || err2 != nil || after-before != want {
		t.Errorf("gets from %q to %q, want %d", a.element(t, "forge-gets-before"), a.element(t, "forge-gets-after"), want)
	}
}

// The default forgery names one of the server's keys, so that only its
// signature gives it away; and no two are alike.
func TestForgeriesAreFresh(t *testing.T) {
	t.Parallel()
	c := newBrowser(t, serve(t, nil))
	one, two := c.get("/").forgery(t), c.get("/").forgery(t)
	if one == two || !regexp.MustCompile(`^(eyJ[\w-]+\.){2}[\w-]{43}$`).MatchString(one) {
		t.Errorf("%q, then %q", one, two)
	}
}

// What the server's own key has signed is good for nobody, however it is changed
// back: it expired long ago.
func TestForgeriesByTheRealKeyAreOld(t *testing.T) {
	t.Parallel()
	c := newBrowser(t, serve(t, nil))
	for _, kind := range []string{"changed", "expired"} {
		token := c.get("/?forgery=" + kind).forgery(t)
		text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
		var claims struct{ Exp, Iat int64 }
		if err == nil {
			err = json.Unmarshal(text, &claims)
		}
		if age := time.Since(time.Unix(claims.Exp, 0)); err != nil || age < 23*time.Hour || claims.Exp <= claims.Iat || claims.Iat == 0 {
			t.Errorf("%s: %s, %v: want one that expired a day ago", kind, text, err)
		}
	}
}

func TestForgeRefuses(t *testing.T) {
	t.Parallel()
	base := serve(t, nil)
	const object, form = "application/json", "application/x-www-form-urlencoded"
	for name, tt := range map[string]struct {
		contentType, body string
		status            int
		detail            string
	}{
		"nothing":               {form, "forgery=", 400, "must be one line"},
		"blanks":                {form, "forgery=+%0D%0A", 400, "must be one line"},
		"two lines":             {form, "forgery=a%0D%0AX-Evil:+b", 400, "must be one line"},
		"a NUL":                 {object, `{"forgery":"a\u0000b"}`, 400, "must be one line"},
		"another field":         {object, `{"user":"a"}`, 400, "must be one line"},
		"a number":              {object, `{"forgery":7}`, 400, "neither a JSON object"},
		"no JSON object":        {object, `[]`, 400, "neither a JSON object"},
		"too much":              {form, "forgery=" + strings.Repeat("a", 17<<10), 413, "at most 16384 bytes"},
		"neither form nor JSON": {"text/plain", "x", 415, "the field forgery"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newClient(t, base).do(http.MethodPost, "/forge", tt.contentType, tt.body).wantNoCookie(t).wantProblem(t, tt.status, tt.detail)
		})
	}
}

func TestForgeWithoutACounter(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	c := newClient(t, serve(t, env{"COATCHECK_KEYS": keyA}, "-memcached", server.Addr()))
	server.Stop()
	var o outcome
	c.postJSON("/forge", `{"forgery":"made-up"}`).want(t, http.StatusOK).decode(t, &o)
	if o.Status != 401 || o.GetsBefore != nil || o.GetsAfter != nil {
		t.Errorf("%+v", o)
	}
}
