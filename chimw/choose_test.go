package chimw_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/tokens"
)

// outcome is what a request leads to.
type outcome struct {
	status  int
	owner   string // "": anonymous, or no session at all
	carrier chimw.Carrier
	reads   int64 // of the store
}

func (o outcome) read() outcome { o.reads++; return o }

func refused(status int) outcome { return outcome{status: status} }

// How each dimension of the table is judged by itself: what it leads to if it
// decides. pass means that it leaves the decision to the next.
var pass = outcome{}

var cookieColumn = map[string]outcome{
	"absent":       pass,
	"malformed":    pass,
	"twice":        pass,
	"dead":         pass.read(),
	"renewed":      pass.read(),
	"live":         outcome{200, "cookie's", chimw.Cookie, 0}.read(),
	"store failed": refused(503).read(),
}

var headerColumn = map[string]outcome{
	"absent":             pass,
	"basic":              pass,
	"good":               outcome{200, "token's", chimw.Header, 0}.read(),
	"forged":             refused(401),
	"expired":            refused(401),
	"malformed":          refused(401),
	"empty":              refused(401),
	"session gone":       refused(401).read(),
	"session renewed":    refused(401).read(),
	"never issued":       refused(401).read(),
	"store failed":       refused(503).read(),
	"repeated":           refused(400),
	"two that differ":    refused(400),
	"bearer":             outcome{200, "token's", chimw.Header, 0}.read(),
	"both the same":      outcome{200, "token's", chimw.Header, 0}.read(),
	"external good":      outcome{200, "external's", chimw.Header, 0}.read(),
	"external refused":   refused(401),
	"verifier failing":   refused(503),
	"external of a wrap": refused(503), // a failure that looks like a refusal
}

var bodyColumn = map[string]outcome{
	"absent":             pass,
	"wrong content type": pass,
	"other JSON":         pass,
	"other case":         pass,
	"nested":             pass,
	"good":               outcome{200, "body's", chimw.Body, 0}.read(),
	"bad":                refused(401),
	"twice":              refused(400),
	"no text":            refused(400),
	"not JSON":           refused(400),
	"empty":              pass,
	"too large":          refused(413),
}

var requestColumn = map[string]bool{ // whether another site may have sent it
	"safe": false, "unsafe": false, "same origin": false, "no browser": false, "safe cross-site": false,
	"cross-site": true, "cross-origin of old": true, "upgrade": true, "upgrade same origin": false,
}

// expected combines the columns.
func expected(cookie, header, body, request string) outcome {
	c, h, b := cookieColumn[cookie], headerColumn[header], bodyColumn[body]
	wellFormed := c.reads > 0
	headerShown := header != "absent" && header != "basic"
	foreign := requestColumn[request]
	switch {
	case headerShown && !wellFormed:
		return h
	case !headerShown && foreign:
		return refused(403)
	case c.status == 200 && foreign:
		return refused(403).read()
	case c.status != 0:
		return c
	case headerShown:
		return outcome{h.status, h.owner, h.carrier, h.reads + c.reads}
	case b.status != 0:
		return outcome{b.status, b.owner, b.carrier, b.reads + c.reads}
	}
	return outcome{200, "", chimw.None, c.reads}
}

// TestOutcomes checks every combination of what a request can show.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	t.Run("X1 X2 X4 X6 C12 S4 H1 H2 H3 H4 H7 J3 J15 K1 M5 every combination", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, testOutcomes)
	})
}

func testOutcomes(t *testing.T) {
	w := newWorld(t)
	checked := 0
	for cookie := range cookieColumn {
		for header := range headerColumn {
			for body := range bodyColumn {
				for request := range requestColumn {
					w.check(t, cookie, header, body, request)
					checked++
				}
			}
		}
	}
	if want := len(cookieColumn) * len(headerColumn) * len(bodyColumn) * len(requestColumn); checked != want {
		t.Errorf("checked %d combinations, want %d", checked, want)
	}
	t.Logf("%d combinations", checked)
}

// world has one of everything that a request can show.
type world struct {
	*house
	cookies  map[string][]string
	headers  map[string][]string
	bodies   map[string]string
	requests map[string][]string
	seen     outcome
	handler  http.Handler
}

func newWorld(t *testing.T) *world {
	w := &world{}
	external, err := tokens.NewExternal(tokens.ExternalConfig{Key: tokens.GenerateKey(), Verify: verifyExternal})
	if err != nil {
		t.Fatal(err)
	}
	w.house = build(t, func(_ *session.Config, c *chimw.Config) {
		c.External, c.BodyField, c.MaxBody = external, "token", 1000
	})
	w.handler = w.mw.Handler(http.HandlerFunc(w.look))
	w.fill(t)
	return w
}

func verifyExternal(_ context.Context, token string) (string, bool, error) {
	switch token {
	case "external-good":
		return "somebody", true, nil
	case "external-failing":
		return "", false, errors.New("the identity provider is down")
	case "external-wrapping":
		return "", false, fmt.Errorf("no such user: %w", session.ErrNotFound)
	}
	return "", false, nil
}

func (w *world) look(rw http.ResponseWriter, r *http.Request) {
	s := session.FromContext(r.Context())
	w.seen.owner, _ = owner.Get(s)
	w.seen.carrier = w.mw.Carrier(r.Context())
	if w.seen.owner == "" && s.Stored() {
		w.seen.owner = "a session of nobody's"
	}
}

func (w *world) fill(t *testing.T) {
	live, dead, renewed, down := w.session("cookie's"), w.session("dead"), w.session("renewed"), w.session("down")
	deadCookie, renewedCookie := cookieOf(dead), cookieOf(renewed)
	dead.Destroy()
	renewed.Renew()
	good, _ := w.token("token's")
	inBody, _ := w.token("body's")
	gone, goneSession := w.token("gone")
	moved, movedSession := w.token("moved")
	unreachable, unreachableSession := w.token("unreachable")
	goneSession.Destroy()
	movedSession.Renew()
	for _, s := range []*session.Session{dead, renewed, goneSession, movedSession} {
		if err := s.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	never, _, err := w.signer.Sign("session", live.ID(), live.Deadline())
	expired, _, err2 := w.signer.Sign("session", live.ID(), time.Now().Add(time.Second))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	w.serveExternal(t)
	time.Sleep(time.Second)
	failing := map[string]bool{storeKey(down): true, storeKey(unreachableSession): true}
	w.store.fail(func(_, key string) bool { return failing[key] })

	w.cookies = map[string][]string{
		"absent":       nil,
		"malformed":    {"Cookie: session=" + live.Credential().Reveal() + "A"},
		"twice":        {cookieOf(live), "Cookie: a=b; session=" + down.Credential().Reveal()},
		"dead":         {deadCookie},
		"renewed":      {renewedCookie},
		"live":         {"Cookie: other=1; session=" + live.Credential().Reveal() + "; session=" + live.Credential().Reveal()},
		"store failed": {cookieOf(down)},
	}
	w.headers = map[string][]string{
		"absent":             nil,
		"basic":              {"Authorization: Basic YWxpY2U6c2VjcmV0"},
		"good":               {header(good)},
		"forged":             {header(flip(good))},
		"expired":            {header(expired)},
		"malformed":          {header("a.b")},
		"empty":              {"X-Auth-Token: "},
		"session gone":       {header(gone)},
		"session renewed":    {header(moved)},
		"never issued":       {header(never)},
		"store failed":       {header(unreachable)},
		"repeated":           {header(good), header(good)},
		"two that differ":    {header(good), "Authorization: Bearer " + inBody},
		"bearer":             {"Authorization: bEARER " + good},
		"both the same":      {header(good), "Authorization: Bearer " + good},
		"external good":      {header("external-good")},
		"external refused":   {header("external-bad")},
		"verifier failing":   {header("external-failing")},
		"external of a wrap": {header("external-wrapping")},
	}
	w.bodies, w.requests = bodiesWith(inBody), ways
}

// bodiesWith returns the bodies that carry a token, or nearly.
func bodiesWith(token string) map[string]string {
	return map[string]string{
		"absent":             "",
		"empty":              "",
		"not JSON":           `{"token":"` + token + `"`,
		"wrong content type": `{"token":"` + token + `"}`,
		"other JSON":         `["token","` + token + `"]`,
		"other case":         `{"Token":"` + token + `"}`,
		"nested":             `{"a":{"token":"` + token + `"}}`,
		"good":               `{"a":[1,{"token":2}],"token":"` + token + `","b":null}`,
		"bad":                `{"token":"` + flip(token) + `"}`,
		"twice":              `{"token":"` + token + `","token":"` + token + `"}`,
		"no text":            `{"token":null}`,
		"too large":          `{"token":"` + token + `"` + strings.Repeat(" ", 1000) + `}`,
	}
}

// ways are the methods of requests, and what a browser says of where they come from.
var ways = map[string][]string{
	"safe":                {"GET"},
	"unsafe":              {"POST", "Sec-Fetch-Site: none"},
	"same origin":         {"DELETE", "Sec-Fetch-Site: same-origin"},
	"no browser":          {"PUT"},
	"safe cross-site":     {"GET", "Sec-Fetch-Site: cross-site", "Origin: https://evil.example"},
	"cross-site":          {"POST", "Sec-Fetch-Site: cross-site", "Origin: https://evil.example"},
	"cross-origin of old": {"POST", "Origin: https://evil.example"},
	"upgrade":             {"GET", "Upgrade: websocket", "Origin: https://evil.example"},
	"upgrade same origin": {"GET", "Upgrade: websocket", "Sec-Fetch-Site: same-origin"},
}

// serveExternal gives the external client its session.
func (w *world) serveExternal(t *testing.T) {
	res := w.serve(func(_ http.ResponseWriter, r *http.Request) {
		owner.Put(session.FromContext(r.Context()), "external's")
	}, request("GET", "", header("external-good")))
	wantStatus(t, res, 200)
}

func (w *world) check(t *testing.T, cookie, header, body, req string) {
	lines := append(append(append([]string(nil), w.requests[req][1:]...), w.cookies[cookie]...), w.headers[header]...)
	if body == "wrong content type" {
		lines = append(lines, "Content-Type: text/plain")
	} else if body != "absent" {
		lines = append(lines, "Content-Type: application/json; charset=utf-8")
	}
	w.seen = outcome{}
	reads, writes := w.store.reads.Load(), w.store.writes.Load()
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, request(w.requests[req][0], w.bodies[body], lines...))
	w.seen.status, w.seen.reads = rec.Code, w.store.reads.Load()-reads
	if w.seen.status != 200 {
		w.seen.owner, w.seen.carrier = "", ""
	}
	want := expected(cookie, header, body, req)
	what := fmt.Sprintf("cookie %s, header %s, body %s, request %s", cookie, header, body, req)
	if w.seen != want {
		t.Errorf("%s: got %+v, want %+v", what, w.seen, want)
	}
	if n := w.store.writes.Load() - writes; n != 0 {
		t.Errorf("%s: %d writes", what, n)
	}
	if len(rec.Header()["Set-Cookie"]) > 0 || rec.Header().Get("X-Auth-Token") != "" {
		t.Errorf("%s: the response gives the client something to keep: %v", what, rec.Header())
	}
	if vary := rec.Header().Get("Vary"); vary != "Cookie, X-Auth-Token, Authorization" {
		t.Errorf("%s: Vary is %q", what, vary)
	}
}

func storeKey(s *session.Session) string { return "session:" + encodeID(s.ID()) }
