package main_test

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	example "github.com/coatcheck/coatcheck/cmd/example"
	"github.com/coatcheck/coatcheck/internal/await"
)

// browserAccept is what a browser says when somebody enters an address.
const browserAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

func newBrowser(t *testing.T, base string) *client {
	t.Helper()
	c := newClient(t, base)
	c.edit = func(r *http.Request) { r.Header.Set("Accept", browserAccept) }
	return c
}

func (a *answer) wantPage(t *testing.T, status int, parts ...string) *answer {
	t.Helper()
	a.want(t, status).wantType(t, "text/html; charset=utf-8")
	for _, part := range parts {
		if !strings.Contains(a.body, part) {
			t.Errorf("%s %s: the page lacks %q:\n%s", a.Request.Method, a.Request.URL.Path, part, a.body)
		}
	}
	return a
}

// element returns what is in the innermost element with an id: its text, still
// escaped.
func (a *answer) element(t *testing.T, id string) string {
	t.Helper()
	m := regexp.MustCompile(`\sid="` + regexp.QuoteMeta(id) + `"[^>]*>([^<]*)<`).FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("no element #%s:\n%s", id, a.body)
	}
	return m[1]
}

func TestWhoGetsThePage(t *testing.T) {
	t.Parallel()
	base := serve(t, nil)
	for accept, html := range map[string]bool{
		browserAccept:                                  true,
		"text/html":                                    true,
		"TEXT/HTML;level=1":                            true,
		"text/html, */*":                               true,
		"*/*, text/html":                               true,
		"application/json, text/html;q=0.1":            true,
		"text/html;q=0.5, text/plain;q=0.4":            true,
		"text/html;q=0.5, text/*;q=0.9, */*;q=0.1":     false,
		"text/html;q=0.5, text/*;q=0.1, */*;q=0.9":     true,
		"text/html;q=0.4, text/plain;q=0.5":            false,
		"text/plain;q=0.1, */*;q=0.9, text/html;q=0.2": true,
		"text/html;q=0":                                false,
		"text/html;q=2":                                false,
		"text/html;q=NaN":                              false,
		"text/htmlx":                                   false,
		"text/*":                                       false,
		"*/*":                                          false,
		"text/plain":                                   false,
		";;;,text/html":                                true,
		"":                                             false,
	} {
		t.Run(accept, func(t *testing.T) {
			t.Parallel()
			a := newClient(t, base).get("/", "Accept", accept).want(t, http.StatusOK)
			if got := strings.HasPrefix(a.Header.Get("Content-Type"), "text/html"); got != html {
				t.Errorf("%s", a.Header.Get("Content-Type"))
			}
			if !strings.Contains(strings.Join(a.Header.Values("Vary"), ", "), "Accept") {
				t.Errorf("Vary %q", a.Header.Values("Vary"))
			}
		})
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	base := serve(t, nil)

	t.Run("shows the session and its forms", func(t *testing.T) {
		t.Parallel()
		c := newBrowser(t, base)
		page := c.get("/").wantPage(t, http.StatusOK, "nobody", `action="/login"`, `action="/visits"`, `action="/token#grant"`)
		c.postForm("/visits", "").want(t, http.StatusSeeOther)
		c.postForm("/login", "user=%3Cb%3Ealice").want(t, http.StatusSeeOther)
		again := c.get("/").wantPage(t, http.StatusOK, "&lt;b&gt;alice", `action="/logout"`)
		for id, want := range map[string]string{"visits-count": "1", "carrier": "cookie", "subject": "&lt;b&gt;alice"} {
			if got := again.element(t, id); got != want {
				t.Errorf("#%s is %q, want %q", id, got, want)
			}
		}
		first, second := page.element(t, "identifier"), again.element(t, "identifier")
		if len(first) != 36 || first != second {
			t.Errorf("identifier %q, then %q", first, second)
		}
	})
	t.Run("shows a token that a form asked for", func(t *testing.T) {
		t.Parallel()
		c := newBrowser(t, base)
		c.get("/")
		a := c.postForm("/token", "").wantPage(t, http.StatusCreated, `<dd id="carrier">cookie</dd>`)
		token := a.element(t, "token")
		var d description
		c.get("/session").decode(t, &d)
		if e := with(t, base, "X-Auth-Token", token).session(); e.id() != d.id() {
			t.Errorf("the token's session is %s, the browser's %s", e.id(), d.id())
		}
	})
	t.Run("shows a token of a new session, and sets no cookie", func(t *testing.T) {
		t.Parallel()
		newBrowser(t, base).postForm("/token", "").wantNoCookie(t).wantPage(t, http.StatusCreated, `<dd id="carrier">token</dd>`, `id="token"`)
	})
	t.Run("shows mistakes", func(t *testing.T) {
		t.Parallel()
		c := newBrowser(t, base)
		c.postForm("/login", "user=").wantPage(t, http.StatusBadRequest, "1 to 64 printable", `href="/"`)
		c.get("/nowhere").wantPage(t, http.StatusNotFound, "Not Found")
		c.postForm("/logout", "", "Sec-Fetch-Site", "cross-site").wantPage(t, http.StatusForbidden, "another site")
	})
}

// What clients choose is shown as text, wherever it is shown.
func TestPageEscapes(t *testing.T) {
	t.Parallel()
	c := newBrowser(t, serve(t, nil))
	const hostile = `"><img/src=x>'</textarea></title></script><script>{{.}}`
	c.signIn(hostile, hostile)
	for name, a := range map[string]*answer{
		"home": c.get("/"), "a forgery": c.forge(hostile), "a kind": c.get("/?forgery=" + url.QueryEscape(hostile)),
		"a token": c.postForm("/token", ""), "not found": c.get("/" + url.PathEscape(hostile)),
		"another's session": c.postForm("/sessions/"+url.PathEscape(hostile)+"/end", ""),
	} {
		rest := strings.Replace(a.body, "<script>"+example.JS+"</script>", "", 1)
		if !strings.Contains(rest, "</body>") || strings.Contains(rest, "<script") || strings.Contains(rest, "<img") || strings.Count(rest, "</textarea>") > 1 {
			t.Errorf("%s: %s", name, rest)
		}
	}
	for _, id := range []string{"subject", "forgery"} {
		if got := html.UnescapeString(c.forge(hostile).element(t, id)); got != hostile {
			t.Errorf("#%s is %q", id, got)
		}
	}
}

func TestIdleTimeoutInWords(t *testing.T) {
	t.Parallel()
	for idle, want := range map[string]string{"30s": "30 seconds", "90s": "90 seconds", "60s": "1 minute", "120m": "2 hours", "90m": "90 minutes", "1500ms": "1.5s"} {
		newBrowser(t, serve(t, nil, "-idle", idle)).get("/").wantPage(t, http.StatusOK, "It ends "+want+" after")
	}
}

// The clock's times are those of the answer: the server's own time, whatever
// the browser takes for it, and what this very request has made of the deadlines.
func TestPageClock(t *testing.T) {
	t.Parallel()
	const idle, refreshAfter = 10_000, 1000 // milliseconds; the second is the library's default, a tenth
	c := newBrowser(t, serve(t, nil, "-idle", "10s"))
	ends := make(map[int64]bool)
	await.Until(t, "a refresh", func() bool {
		asked := time.Now().UnixMilli()
		a := c.get("/")
		now, end, absolute := a.number(t, `id="clock" data-now="(\d+)"`), a.number(t, `id="idle-end"[^>]* data-at="(\d+)"`), a.number(t, `id="absolute-end"[^>]* data-at="(\d+)"`)
		if now < asked || now > time.Now().UnixMilli() {
			t.Errorf("it says that it is %d, and it was asked at %d", now, asked)
		}
		if end < asked+idle-refreshAfter || end > now+idle {
			t.Errorf("asked at %d, it says that the session ends %d ms later", asked, end-asked)
		}
		if absolute < asked+11*3600_000 || absolute > now+12*3600_000 {
			t.Errorf("asked at %d, it says that the session ends %d ms later however active it is", asked, absolute-asked)
		}
		ends[end] = true
		return len(ends) > 1 || t.Failed()
	})
}

func (a *answer) number(t *testing.T, pattern string) int64 {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("no %s:\n%s", pattern, a.body)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPageHeaders(t *testing.T) {
	t.Parallel()
	c := newBrowser(t, serve(t, nil))
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	policy := "default-src 'none'; script-src " + hash(example.JS) + "; style-src " + hash(example.CSS) +
		"; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	for path, scripts := range map[string]int{"/": 1, "/nowhere": 0} {
		a := c.get(path)
		rest := strings.Replace(a.body, "<style>"+example.CSS+"</style>", "", 1)
		rest = strings.Replace(rest, "<script>"+example.JS+"</script>", "", scripts)
		if len(rest)+len(example.CSS)+scripts*len(example.JS) > len(a.body) {
			t.Errorf("%s: the style or the script is not the one that the policy allows", path)
		}
		for _, banned := range []string{"<script", "<style", "style=", " on", "http:", "https:", "//", "src="} {
			if in := regexp.MustCompile(`<[^>]*` + banned).FindString(rest); in != "" {
				t.Errorf("%s: the page has %q", path, in)
			}
		}
		for name, want := range map[string]string{"Content-Security-Policy": policy, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
}
