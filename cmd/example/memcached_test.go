package main_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	example "github.com/coatcheck/coatcheck/cmd/example"
	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
	"github.com/google/uuid"
)

// calls is what memcached itself has counted.
func calls(t *testing.T, server *memcachedtest.Server) map[string]int {
	t.Helper()
	counted := make(map[string]int)
	for _, name := range []string{"cmd_get", "cmd_set", "cmd_touch", "cmd_meta", "get_hits", "cas_hits", "cas_badval", "cas_misses", "delete_hits", "delete_misses"} {
		counted[name] = server.Stat(t, name)
	}
	return counted
}

// wantCalls checks what memcached has counted while f ran.
func wantCalls(t *testing.T, server *memcachedtest.Server, want map[string]int, f func()) {
	t.Helper()
	before := calls(t, server)
	f()
	after := calls(t, server)
	maps.DeleteFunc(after, func(name string, n int) bool { return n == before[name] })
	for name := range after {
		after[name] -= before[name]
	}
	if !maps.Equal(after, want) {
		t.Errorf("memcached was called: %v, want %v", after, want)
	}
}

// expiredToken is one that keyA signed for a session, and that has expired.
func expiredToken() string { return signedToken(uuid.NewString(), -time.Second) }

// signedToken is one that keyA signed, and that is valid for so long.
func signedToken(id string, valid time.Duration) string {
	_, encoded, _ := strings.Cut(keyA, ":")
	secret, _ := base64.StdEncoding.DecodeString(encoded)
	now := time.Now().Unix()
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"HS256","kid":"a","typ":"session+jwt"}`)) + "." +
		encode(fmt.Appendf(nil, `{"iss":%q,"aud":"session","sid":%q,"iat":%d,"exp":%d}`, example.Issuer, id, now-60, now+int64(valid.Seconds())))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}

func TestCallsToMemcached(t *testing.T) { //nolint:tparallel // the subtests take turns at one server's counters
	t.Parallel()
	server := memcachedtest.Start(t)
	base, log := serveLogged(t, env{"COATCHECK_KEYS": keyA}, "-memcached", server.Addr(), "-idle", "30m", "-api-keys", "alpha")
	browser := newClient(t, base)
	browser.identifier()
	token := browser.token()
	program := with(t, base, "X-Auth-Token", token)
	program.identifier() // all connections are made, and everything is written
	none := map[string]int{}

	t.Run("a read is one get and no set", func(t *testing.T) {
		for name, get := range map[string]func(){
			"by cookie": func() { browser.session() },
			"by header": func() { program.session() },
			"by body":   func() { newClient(t, base).postJSON("/", `{"token":"`+token+`"}`).want(t, http.StatusOK) },
		} {
			for range 10 {
				wantCalls(t, server, map[string]int{"cmd_get": 1, "get_hits": 1}, get)
			}
			if t.Failed() {
				t.Fatal(name)
			}
		}
	})
	t.Run("a write is one get and one set", func(t *testing.T) {
		wantCalls(t, server, map[string]int{"cmd_get": 1, "get_hits": 1, "cmd_set": 1, "cas_hits": 1}, func() {
			program.post("/visits").want(t, http.StatusOK)
		})
	})
	t.Run("S15 1,000 anonymous requests are none", func(t *testing.T) {
		wantCalls(t, server, none, func() {
			c := newClient(t, base)
			for range 1000 {
				c.get("/session").want(t, http.StatusOK).wantNoCookie(t)
			}
		})
	})
	t.Run("a health check is none", func(t *testing.T) {
		wantCalls(t, server, none, func() { browser.get("/healthz").want(t, http.StatusOK) })
	})
	for name, bad := range map[string]string{
		"forged":          token[:len(token)-6] + "AAAAAA",
		"expired":         expiredToken(),
		"malformed":       strings.Repeat(".", 1000),
		"made up":         "my-own-token",
		"a session's ID":  browser.session().id(),
		"a cookie's text": browser.cookies()[0].Value,
	} {
		t.Run("J3 a token that is "+name+" is none", func(t *testing.T) {
			wantCalls(t, server, none, func() {
				with(t, base, "X-Auth-Token", bad).get("/").want(t, http.StatusUnauthorized).wantNoCookie(t)
				with(t, base, "Authorization", "Bearer "+bad).post("/visits").want(t, http.StatusUnauthorized)
				newClient(t, base).postJSON("/", `{"token":"`+bad+`"}`).want(t, http.StatusUnauthorized)
			})
		})
	}
	t.Run("J4 the expired one was refused for that alone", func(t *testing.T) {
		log.Await(t, `error="tokens: invalid token: expired"`)
	})
	for name, value := range map[string]string{
		"S4 malformed": "x", "S20 made up": strings.Repeat("AB", 32),
	} {
		t.Run(name+" cookies are none", func(t *testing.T) {
			wantCalls(t, server, none, func() {
				if d := with(t, base, "Cookie", "session="+value).session(); d.Carrier != "none" {
					t.Errorf("%+v", d)
				}
			})
		})
	}
	t.Run("M1 what it holds can't be read", func(t *testing.T) {
		browser.postJSON("/login", `{"user":"alice-in-chains"}`).want(t, http.StatusOK)
		for key, item := range server.Dump(t) {
			if strings.Contains(string(item.Value), "alice-in-chains") || strings.Contains(string(item.Value), "identifier") {
				t.Errorf("%s: %q", key, item.Value)
			}
			if item.Expires.IsZero() {
				t.Errorf("%s never expires", key)
			}
		}
	})
}

func (a *answer) wantUnavailable(t *testing.T) {
	t.Helper()
	a.want(t, http.StatusServiceUnavailable).wantNoCookie(t)
	if a.Header.Get("Retry-After") == "" {
		t.Errorf("%s %s: 503 without Retry-After", a.Request.Method, a.Request.URL.Path)
	}
}

func TestMemcachedFails(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fail, recover func(*memcachedtest.Server)
		survives      bool // what was stored
	}{
		"hangs":   {(*memcachedtest.Server).Pause, (*memcachedtest.Server).Resume, true},
		"crashes": {(*memcachedtest.Server).Stop, (*memcachedtest.Server).Restart, false},
	} {
		t.Run("M5 it "+name, func(t *testing.T) {
			t.Parallel()
			server := memcachedtest.Start(t)
			base := serve(t, env{"COATCHECK_KEYS": keyA}, "-memcached", server.Addr(), "-memcached-timeout", memcachedTimeoutHung, "-idle", "30m", "-api-keys", "alpha")
			browser := newClient(t, base)
			browser.post("/visits").want(t, http.StatusOK)
			program := with(t, base, "X-Auth-Token", browser.token())
			before, cookie := browser.session(), browser.cookies()[0].Value

			tt.fail(server)
			for _, c := range []*client{browser, program, with(t, base, "X-Auth-Token", "alpha")} {
				c.get("/session").wantUnavailable(t)
				c.post("/visits").wantUnavailable(t)
				c.post("/logout").wantUnavailable(t)
			}
			newClient(t, base).get("/").wantUnavailable(t)
			newClient(t, base).post("/token").wantUnavailable(t)
			newBrowser(t, base).get("/").wantPage(t, http.StatusServiceUnavailable, "not available at the moment").wantUnavailable(t)
			newClient(t, base).get("/session").want(t, http.StatusOK)
			newClient(t, base).get("/healthz").want(t, http.StatusOK)
			if got := browser.cookies(); len(got) != 1 || got[0].Value != cookie {
				t.Errorf("the cookie is now %v", got)
			}

			tt.recover(server)
			await.Until(t, "a session after the recovery", func() bool { return newClient(t, base).get("/").StatusCode == http.StatusOK })
			if tt.survives {
				await.Until(t, "the old session after the recovery", func() bool { return browser.get("/session").StatusCode == http.StatusOK })
				if d, e := browser.session(), program.session(); d.id() != before.id() || d.Visits != 1 || e.id() != before.id() {
					t.Errorf("by cookie %+v, by token %+v, before %+v", d, e, before)
				}
				return
			}
			if d := browser.session(); d.Carrier != "none" {
				t.Errorf("M6 a session that memcached has lost: %+v", d)
			}
			program.get("/session").want(t, http.StatusUnauthorized)
			browser.identifier() // begins anew
		})
	}
}

func TestMemcachedStartsLate(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	server.Stop()
	c := newClient(t, serve(t, nil, "-memcached", server.Addr()))
	c.get("/").wantUnavailable(t)
	server.Restart()
	await.Until(t, "a session", func() bool { return c.get("/").StatusCode == http.StatusOK })
}
