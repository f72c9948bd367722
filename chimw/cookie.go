package chimw

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// maxAge is the longest life that a cookie can have: RFC 6265bis 5.5.
const maxAge = 34560000 * time.Second

// cookie is how one middleware's cookie looks, but for value and age: by default
// __Host-session, Secure, HttpOnly, SameSite=Lax, and gone with the browser.
type cookie struct {
	name       string
	attributes string
	persistent bool
}

func newCookie(c Config) cookie {
	var b strings.Builder
	b.WriteString("; Path=/")
	if c.Domain != "" {
		b.WriteString("; Domain=" + c.Domain)
	}
	if !c.InsecureCookie {
		b.WriteString("; Secure")
	}
	b.WriteString("; HttpOnly; SameSite=" + map[http.SameSite]string{
		http.SameSiteLaxMode:    "Lax",
		http.SameSiteStrictMode: "Strict",
		http.SameSiteNoneMode:   "None",
	}[c.SameSite])
	if c.Partitioned {
		b.WriteString("; Partitioned")
	}
	return cookie{prefix(c) + c.Manager.Name(), b.String(), c.Persistent}
}

// prefix makes browsers enforce the attributes: RFC 6265bis 4.1.3. Nothing but
// this very host, over TLS, can then set the cookie.
func prefix(c Config) string {
	switch {
	case c.InsecureCookie:
		return ""
	case c.Domain != "":
		return "__Secure-"
	default:
		return "__Host-"
	}
}

// read returns the cookie's value, and how many different ones the request has:
// 0, 1 or 2 for several. Of several, somebody else, such as a sibling domain, may
// have set one, and their order says nothing about whose is whose (RFC 6265bis
// 8.6): none of them is returned.
func (c *cookie) read(h http.Header) (value string, found int) {
	for _, line := range h["Cookie"] {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			name, v, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			if name != c.name {
				continue
			}
			if found > 0 && v != value {
				return "", 2
			}
			value, found = v, 1
		}
	}
	return value, found
}

// set gives the client a credential.
func (c *cookie) set(h http.Header, cred session.Credential, deadline time.Time) {
	age := ""
	if c.persistent {
		age = "; Max-Age=" + itoa(min(time.Until(deadline), maxAge))
	}
	c.write(h, cred.Reveal(), age)
}

// expire takes it away. The attributes are those it was set with, or the
// browser would keep it beside the new one: RFC 6265bis 4.1.2.
func (c *cookie) expire(h http.Header) { c.write(h, "", "; Max-Age=0") }

// named reports whether a Set-Cookie line is about this cookie.
func (c *cookie) named(line string) bool {
	return strings.HasPrefix(line, c.name) && strings.HasPrefix(line[len(c.name):], "=")
}

// said reports whether a response sets or expires the cookie.
func (c *cookie) said(h http.Header) bool { return slices.ContainsFunc(h["Set-Cookie"], c.named) }

// write replaces whatever this response says about the cookie so far:
// RFC 6265bis 4.1.1 allows one Set-Cookie per name.
func (c *cookie) write(h http.Header, value, age string) {
	kept := slices.DeleteFunc(slices.Clone(h["Set-Cookie"]), c.named)
	h["Set-Cookie"] = append(kept, c.name+"="+value+c.attributes+age)
}

// Forget expires the cookie without asking the store: for an error page that
// offers to sign in again while the session's node is down. The session itself
// lives on until its deadline.
func (mw *Middleware) Forget(w http.ResponseWriter) {
	if mw.ready() && !mw.cfg.NoCookie {
		mw.cookie.expire(w.Header())
	}
}

func itoa(d time.Duration) string { return strconv.FormatInt(int64(max(d, 0)/time.Second), 10) }
