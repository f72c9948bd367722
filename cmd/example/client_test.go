package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
)

// A client is a browser, or a program that shows a token.
type client struct {
	t    *testing.T
	base string
	http *http.Client
	edit func(*http.Request)
}

// newClient has a cookie jar, and follows no redirect.
func newClient(t *testing.T, base string) *client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, base: base, edit: func(*http.Request) {}}
	c.http = &http.Client{Jar: jar, Timeout: await.Limit, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// with returns a client without cookies that shows a header.
func with(t *testing.T, base, header, value string) *client {
	t.Helper()
	c := newClient(t, base)
	c.http.Jar = nil
	c.edit = func(r *http.Request) { r.Header.Set(header, value) }
	return c
}

// at is the same client with another server.
func (c *client) at(base string) *client {
	c.t.Helper()
	other := *c
	other.base = base
	from, to := c.parse(c.base), c.parse(base)
	if c.http.Jar != nil {
		c.http.Jar.SetCookies(to, c.http.Jar.Cookies(from))
	}
	return &other
}

func (c *client) parse(text string) *url.URL {
	c.t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		c.t.Fatal(err)
	}
	return u
}

func (c *client) cookies() []*http.Cookie { return c.http.Jar.Cookies(c.parse(c.base)) }

func (c *client) try(method, path, contentType, body string, headers ...string) (*answer, error) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	c.edit(req)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return &answer{resp, string(text)}, err
}

func (c *client) do(method, path, contentType, body string, headers ...string) *answer {
	c.t.Helper()
	a, err := c.try(method, path, contentType, body, headers...)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

func (c *client) get(path string, headers ...string) *answer {
	c.t.Helper()
	return c.do(http.MethodGet, path, "", "", headers...)
}

func (c *client) post(path string, headers ...string) *answer {
	c.t.Helper()
	return c.do(http.MethodPost, path, "", "", headers...)
}

func (c *client) postJSON(path, body string, headers ...string) *answer {
	c.t.Helper()
	return c.do(http.MethodPost, path, "application/json", body, headers...)
}

func (c *client) postForm(path, body string, headers ...string) *answer {
	c.t.Helper()
	return c.do(http.MethodPost, path, "application/x-www-form-urlencoded", body, headers...)
}

var identifierLine = regexp.MustCompile(`^The random identifier stored with your session is: ([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\n$`)

// identifier is what the one line of "/" says.
func (c *client) identifier() string {
	c.t.Helper()
	return c.get("/").want(c.t, http.StatusOK).identifier(c.t)
}

func (a *answer) identifier(t *testing.T) string {
	t.Helper()
	m := identifierLine.FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("not the line with an identifier: %q", a.body)
	}
	return m[1]
}

// A description is what GET /session says.
type description struct {
	ID           *string    `json:"id"`
	Carrier      string     `json:"carrier"`
	Subject      string     `json:"subject"`
	Created      *time.Time `json:"created"`
	Deadline     *time.Time `json:"deadline"`
	IdleDeadline *time.Time `json:"idle_deadline"`
	Visits       int        `json:"visits"`
}

func (d description) id() string {
	if d.ID == nil {
		return ""
	}
	return *d.ID
}

func (c *client) session() description {
	c.t.Helper()
	return c.get("/session").want(c.t, http.StatusOK).description(c.t)
}

func (a *answer) description(t *testing.T) (d description) {
	t.Helper()
	a.decode(t, &d)
	return d
}

// token has POST /token issue one.
func (c *client) token() string {
	c.t.Helper()
	var g struct{ Token string }
	c.post("/token").want(c.t, http.StatusCreated).decode(c.t, &g)
	if g.Token == "" {
		c.t.Fatal("an empty token")
	}
	return g.Token
}

func (a *answer) want(t *testing.T, status int) *answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: %s, want %d\n%s", a.Request.Method, a.Request.URL.Path, a.Status, status, a.body)
	}
	return a
}

func (a *answer) wantNoCookie(t *testing.T) *answer {
	t.Helper()
	if got := a.Header.Values("Set-Cookie"); len(got) > 0 {
		t.Errorf("%s %s sets a cookie: %q", a.Request.Method, a.Request.URL.Path, got)
	}
	return a
}

func (a *answer) wantType(t *testing.T, want string) *answer {
	t.Helper()
	if got := a.Header.Get("Content-Type"); got != want {
		t.Errorf("%s %s: Content-Type %q, want %q", a.Request.Method, a.Request.URL.Path, got, want)
	}
	return a
}

func (a *answer) decode(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
}

// wantProblem checks for an RFC 9457 document that says what it should.
func (a *answer) wantProblem(t *testing.T, status int, detail string) {
	t.Helper()
	a.want(t, status).wantType(t, "application/problem+json")
	var p struct {
		Status int
		Title  string
		Detail string
	}
	a.decode(t, &p)
	if p.Status != status || p.Title != http.StatusText(status) || !strings.Contains(p.Detail, detail) {
		t.Errorf("problem %+v, want status %d and %q in the detail", p, status, detail)
	}
}
