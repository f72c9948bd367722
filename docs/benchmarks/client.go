package benchmarks

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
)

// What a Client shows: a cookie, a token, or nothing.
const (
	ByCookie  = "cookie"
	ByToken   = "token"
	ByNothing = "none"
)

const (
	tokenHeader = "X-Auth-Token" //nolint:gosec // in which responses bring a fresh one: a name
	bearer      = "Bearer "
)

// A Client asks a handler, as a browser or an API client would, for one session:
// it shows what it was given, and keeps what it is given next. Copies are clients
// of the same session. It must not be used concurrently.
type Client struct {
	handler http.Handler
	header  string // in which it shows its credential: "Cookie" or "Authorization"
	shown   string
}

// NewClient returns a client that shows nothing yet.
func NewClient(h http.Handler, by string) *Client {
	if by == ByToken {
		return &Client{handler: h, header: "Authorization"}
	}
	return &Client{handler: h, header: "Cookie"}
}

// Do sends a request and returns the response.
func (c *Client) Do(method, target string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil) //nolint:noctx // as a server makes them, from bytes
	if c.shown != "" {
		r.Header.Set(c.header, c.shown)
	}
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	c.keep(w.Header())
	return w
}

func (c *Client) keep(h http.Header) {
	if c.header == "Cookie" {
		if lines := h["Set-Cookie"]; len(lines) > 0 {
			c.shown, _, _ = strings.Cut(lines[0], ";")
		}
		return
	}
	if tokens := h[tokenHeader]; len(tokens) > 0 {
		c.shown = bearer + tokens[0]
	}
}

// Login makes it the client of the session of the user with a key.
func (c *Client) Login(l Library, key string) error {
	if _, ok := l.(Issuer); !ok || c.header == "Cookie" {
		return ok200(c.Do(http.MethodPost, "/login?"+key))
	}
	browser := NewClient(c.handler, ByCookie)
	if err := browser.Login(l, key); err != nil {
		return err
	}
	w := browser.Do(http.MethodPost, "/token")
	c.shown = bearer + w.Body.String()
	return ok200(w)
}

func ok200(w *httptest.ResponseRecorder) error {
	if w.Code != http.StatusOK {
		return fmt.Errorf("status %d: %s", w.Code, w.Body)
	}
	return nil
}

// Shown returns what it shows: a header's value.
func (c *Client) Shown() string { return c.shown }

// Forge changes one character near the end of what it shows, which is of a
// signature where there is one.
func (c *Client) Forge() {
	b := []byte(c.shown)
	at := &b[len(b)-6]
	if *at == 'A' {
		*at = 'B'
	} else {
		*at = 'A'
	}
	c.shown = string(b)
}

// Expire makes its token one that was signed two hours ago for an hour.
func (c *Client) Expire(key []byte) (err error) {
	token, err := expired(strings.TrimPrefix(c.shown, bearer), key)
	c.shown = bearer + token
	return err
}
