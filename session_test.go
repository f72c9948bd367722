// Package coatcheck_test is a client of the example server: a browser with a
// cookie jar, an API client with a header, over real sockets and a real
// memcached.
package coatcheck_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/internal/exampletest"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

var binary string // the example server

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "coatcheck")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if binary, err = exampletest.Build("cmd/example", dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

const keys = "COATCHECK_KEYS=k:Rk9SLVRFU1RTLU9OTFktRk9SLVRFU1RTLU9OTFktQUFBQQ=="

// start runs a server of its own for a test, and returns its address.
func start(t *testing.T, memcached string, flags ...string) string {
	t.Helper()
	return startProcess(t, memcached, flags...).URL
}

func startProcess(t *testing.T, memcached string, flags ...string) *exampletest.Server {
	t.Helper()
	return exampletest.Start(t, binary, []string{keys}, append([]string{"-memcached", memcached}, flags...)...)
}

// client is a browser, or an API client that has no cookies.
type client struct {
	t    *testing.T
	url  string
	http http.Client
}

func browser(t *testing.T, url string) *client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &client{t, url, http.Client{Jar: jar, Timeout: 20 * time.Second}}
}

func api(t *testing.T, url string) *client {
	return &client{t, url, http.Client{Timeout: 20 * time.Second}}
}

// reply is a response whose body was read.
type reply struct {
	status int
	header http.Header
	body   string
}

func (c *client) do(method, path, body string, headers ...string) reply {
	c.t.Helper()
	req, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	res, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(b)}
}

const sentence = "The random identifier stored with your session is: "

// identifier returns what the front page says.
func (c *client) identifier(headers ...string) string {
	c.t.Helper()
	return identifier(c.t, c.do("GET", "/", "", headers...))
}

func identifier(t *testing.T, r reply) string {
	t.Helper()
	id, ok := strings.CutPrefix(r.body, sentence)
	if r.status != 200 || !ok || len(strings.TrimSpace(id)) != 36 {
		t.Fatalf("status %d, body %q", r.status, r.body)
	}
	return strings.TrimSpace(id)
}

// token asks for a signed token of a new session.
func (c *client) token() string {
	c.t.Helper()
	r := c.do("POST", "/token", "")
	var answer struct{ Token string }
	if err := json.Unmarshal([]byte(r.body), &answer); err != nil || r.status != 201 || answer.Token == "" {
		c.t.Fatalf("status %d, body %q", r.status, r.body)
	}
	return answer.Token
}

func wantSame(t *testing.T, what, a, b string) {
	t.Helper()
	if a != b {
		t.Errorf("%s: %s and %s, want the same", what, a, b)
	}
}

func wantDifferent(t *testing.T, what, a, b string) {
	t.Helper()
	if a == b {
		t.Errorf("%s: both %s", what, a)
	}
}

func wantNoCookie(t *testing.T, r reply) {
	t.Helper()
	if got := r.header["Set-Cookie"]; got != nil {
		t.Errorf("Set-Cookie is %q, want none", got)
	}
}

// TestFlask is what the Flask example tested, in its own terms.
func TestFlask(t *testing.T) {
	t.Parallel()
	url := start(t, memcachedtest.Shared(t), "-api-keys", "first-key,second-key")
	t.Run("a new request gets a cookie", func(t *testing.T) {
		t.Parallel()
		r := browser(t, url).do("GET", "/", "")
		if got := r.header["Set-Cookie"]; len(got) != 1 || !strings.HasPrefix(got[0], "session=") {
			t.Errorf("Set-Cookie is %q", got)
		}
	})
	t.Run("two requests, one session", func(t *testing.T) {
		t.Parallel()
		c := browser(t, url)
		wantSame(t, "identifiers", c.identifier(), c.identifier())
	})
	t.Run("two clients, two sessions", func(t *testing.T) {
		t.Parallel()
		wantDifferent(t, "identifiers", browser(t, url).identifier(), browser(t, url).identifier())
	})
	t.Run("no cookie when X-Auth-Token is set", func(t *testing.T) {
		t.Parallel()
		r := browser(t, url).do("GET", "/", "", "X-Auth-Token", "first-key")
		identifier(t, r)
		wantNoCookie(t, r)
	})
	t.Run("no cookie when a JSON body carries token", func(t *testing.T) {
		t.Parallel()
		r := browser(t, url).do("POST", "/", `{"token":"first-key"}`)
		identifier(t, r)
		wantNoCookie(t, r)
	})
	t.Run("the JSON body's session is the header's session", func(t *testing.T) {
		t.Parallel()
		c := api(t, url)
		wantSame(t, "identifiers", identifier(t, c.do("POST", "/", `{"token":"first-key"}`)), c.identifier("X-Auth-Token", "first-key"))
	})
	t.Run("one external token seen from two clients is one session", func(t *testing.T) {
		t.Parallel()
		wantSame(t, "identifiers", api(t, url).identifier("X-Auth-Token", "first-key"), browser(t, url).identifier("X-Auth-Token", "first-key"))
	})
	t.Run("two tokens, two sessions", func(t *testing.T) {
		t.Parallel()
		c := api(t, url)
		wantDifferent(t, "identifiers", c.identifier("X-Auth-Token", "first-key"), c.identifier("X-Auth-Token", "second-key"))
	})
	t.Run("two requests with one token, one session", func(t *testing.T) {
		t.Parallel()
		c := api(t, url)
		wantSame(t, "identifiers", c.identifier("X-Auth-Token", "second-key"), c.identifier("X-Auth-Token", "second-key"))
	})
}

// TestSignedTokens is the same with tokens that the server signs.
func TestSignedTokens(t *testing.T) {
	t.Parallel()
	url := start(t, memcachedtest.Shared(t))
	t.Run("no cookie with a token", func(t *testing.T) {
		t.Parallel()
		c := browser(t, url)
		tok := c.token()
		for _, r := range []reply{
			c.do("GET", "/", "", "X-Auth-Token", tok),
			c.do("GET", "/", "", "Authorization", "Bearer "+tok),
			c.do("POST", "/", `{"token":"`+tok+`"}`),
		} {
			identifier(t, r)
			wantNoCookie(t, r)
		}
	})
	t.Run("H1 one session by header, by Bearer and by JSON body, from two clients", func(t *testing.T) {
		t.Parallel()
		a, b := api(t, url), api(t, url)
		tok := a.token()
		id := a.identifier("X-Auth-Token", tok)
		wantSame(t, "identifiers", id, b.identifier("Authorization", "bearer "+tok))
		wantSame(t, "identifiers", id, identifier(t, b.do("POST", "/", `{"token":"`+tok+`"}`)))
	})
	t.Run("two tokens, two sessions", func(t *testing.T) {
		t.Parallel()
		c := api(t, url)
		wantDifferent(t, "identifiers", c.identifier("X-Auth-Token", c.token()), c.identifier("X-Auth-Token", c.token()))
	})
	t.Run("a browser's session by its cookie and by its token", func(t *testing.T) {
		t.Parallel()
		b := browser(t, url)
		id := b.identifier()
		tok := b.token()
		wantSame(t, "identifiers", id, api(t, url).identifier("X-Auth-Token", tok))
		if r := b.do("POST", "/logout", ""); r.status != 204 {
			t.Errorf("logout: status %d", r.status)
		}
		if r := api(t, url).do("GET", "/", "", "X-Auth-Token", tok); r.status != 401 { // S7 on every carrier
			t.Errorf("the token after logout: status %d", r.status)
		}
		wantDifferent(t, "identifiers", id, b.identifier())
	})
	t.Run("X1 a live cookie trumps the header", func(t *testing.T) {
		t.Parallel()
		b := browser(t, url)
		tok := api(t, url).token()
		wantSame(t, "identifiers", b.identifier(), b.identifier("X-Auth-Token", tok))
	})
	t.Run("S17 visits are counted once each", func(t *testing.T) {
		t.Parallel()
		c := api(t, url)
		tok := c.token()
		await.Together(20, func(int) {
			req, _ := http.NewRequest("POST", url+"/visits", nil)
			req.Header.Set("X-Auth-Token", tok)
			res, err := c.http.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			res.Body.Close()
			if res.StatusCode != 200 {
				t.Errorf("status %d", res.StatusCode)
			}
		})
		r := c.do("GET", "/session", "", "X-Auth-Token", tok)
		if !strings.Contains(r.body, `"visits":20`) || !strings.Contains(r.body, `"carrier":"token"`) {
			t.Errorf("GET /session: %s", r.body)
		}
	})
}

// TestCost asks memcached itself what a request cost.
func TestCost(t *testing.T) {
	t.Parallel()
	mc := memcachedtest.Start(t)
	url := start(t, mc.Addr())
	b, c := browser(t, url), api(t, url)
	b.identifier()
	tok := c.token()
	c.identifier("X-Auth-Token", tok)
	forged := tok[:len(tok)-10] + strings.Map(func(r rune) rune {
		if r == 'A' {
			return 'B'
		}
		return 'A'
	}, tok[len(tok)-10:])
	short := api(t, start(t, mc.Addr(), "-lifetime", "2s", "-idle", "2s"))
	expired := short.token()
	await.Until(t, "the token to expire", func() bool { return short.do("GET", "/session", "", "X-Auth-Token", expired).status == 401 })
	for _, k := range []struct {
		name       string
		client     *client
		headers    []string
		status     int
		gets, sets int
	}{
		{"a read by cookie is one get", b, nil, 200, 1, 0},
		{"a read by token is one get", c, []string{"X-Auth-Token", tok}, 200, 1, 0},
		{"S15 an anonymous request is none", c, nil, 200, 0, 0},
		{"J3 a token made up by the client is none, and 401", c, []string{"X-Auth-Token", "made-up"}, 401, 0, 0},
		{"J3 a forged token is none, and 401", c, []string{"X-Auth-Token", forged}, 401, 0, 0},
		{"J3 J4 an expired token is none, and 401", short, []string{"X-Auth-Token", expired}, 401, 0, 0},
		{"S20 a made-up cookie is none", c, []string{"Cookie", "session=" + madeUp(t)}, 200, 0, 0},
	} {
		t.Run(k.name, func(t *testing.T) {
			gets, sets := mc.Stat(t, "cmd_get"), mc.Stat(t, "cmd_set")
			const n = 10
			for range n {
				if r := k.client.do("GET", "/session", "", k.headers...); r.status != k.status {
					t.Errorf("status %d, want %d", r.status, k.status)
				}
			}
			if got := mc.Stat(t, "cmd_get") - gets; got != k.gets*n {
				t.Errorf("%d gets for %d requests, want %d", got, n, k.gets*n)
			}
			if got := mc.Stat(t, "cmd_set") - sets; got != k.sets*n {
				t.Errorf("%d sets for %d requests, want %d", got, n, k.sets*n)
			}
		})
	}
}

// madeUp is a credential as good as a real one, but for who made it.
func madeUp(t *testing.T) string {
	t.Helper()
	id := uuid.New()
	text := base64.RawURLEncoding.EncodeToString(append(id[:], make([]byte, 32)...))
	if _, err := session.ParseCredential(text); err != nil {
		t.Fatal(err)
	}
	return text
}

// TestProcesses runs two servers over one memcached.
func TestProcesses(t *testing.T) {
	t.Parallel()
	mc := memcachedtest.Shared(t)
	one, two := startProcess(t, mc), start(t, mc)
	b := browser(t, one.URL)
	id, tok := b.identifier(), b.token()
	wantSame(t, "identifiers at two servers", id, api(t, two).identifier("X-Auth-Token", tok))
	one.Kill()
	three := start(t, mc)
	wantSame(t, "identifiers after a restart", id, api(t, three).identifier("X-Auth-Token", tok))
	b.url = three // cookies know no ports
	wantSame(t, "identifiers by cookie", id, b.identifier())
}

// TestOutage takes memcached away and brings it back.
func TestOutage(t *testing.T) {
	t.Parallel()
	mc := memcachedtest.Start(t)
	url := start(t, mc.Addr())
	b := browser(t, url)
	b.identifier()
	mc.Stop()
	t.Run("M5 503 with Retry-After, and no cookie is touched", func(t *testing.T) {
		r := b.do("GET", "/", "")
		if r.status != 503 || r.header.Get("Retry-After") == "" {
			t.Errorf("status %d, Retry-After %q", r.status, r.header.Get("Retry-After"))
		}
		wantNoCookie(t, r)
		if r := api(t, url).do("POST", "/visits", ""); r.status != 503 || r.header["Set-Cookie"] != nil {
			t.Errorf("a new session: status %d, Set-Cookie %q", r.status, r.header["Set-Cookie"])
		}
	})
	mc.Restart()
	t.Run("M9 recovery without a restart of ours", func(t *testing.T) {
		await.Until(t, "an answer after the outage", func() bool { return browser(t, url).do("GET", "/", "").status == 200 })
		b.identifier()
	})
}
