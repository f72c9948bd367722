package chimw_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

func TestCookieAttributes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set  func(*chimw.Config)
		want string // name and attributes, around the value
	}{
		"C1 C2 C4 C8 by default": {func(c *chimw.Config) {}, "__Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax"},
		"C4 strict":              {func(c *chimw.Config) { c.SameSite = http.SameSiteStrictMode }, "__Host-session=; Path=/; Secure; HttpOnly; SameSite=Strict"},
		"C4 none":                {func(c *chimw.Config) { c.SameSite = http.SameSiteNoneMode }, "__Host-session=; Path=/; Secure; HttpOnly; SameSite=None"},
		"C5 partitioned":         {func(c *chimw.Config) { c.Partitioned = true }, "__Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Partitioned"},
		"C2 with a domain":       {func(c *chimw.Config) { c.Domain = "example.com" }, "__Secure-session=; Path=/; Domain=example.com; Secure; HttpOnly; SameSite=Lax"},
		"plain http":             {func(c *chimw.Config) { c.InsecureCookie = true }, "session=; Path=/; HttpOnly; SameSite=Lax"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, func(_ *session.Config, wc *chimw.Config) { wc.InsecureCookie = false; c.set(wc) })
			res := h.serve(put("me"), request("POST", ""))
			line := cookies(res)[0]
			pair, attributes, _ := strings.Cut(line, ";")
			cookie, value, _ := strings.Cut(pair, "=")
			if got := cookie + "=;" + attributes; got != c.want {
				t.Errorf("Set-Cookie is %q around its value, want %q", got, c.want)
			}
			t.Run("C6 name and value are short", func(t *testing.T) {
				if n := len(cookie) + len(value); n > 4096 || len(value) != 64 {
					t.Errorf("%d octets, %d of them the value", n, len(value))
				}
			})
			t.Run("C10 deletion repeats them", func(t *testing.T) {
				res := h.serve(destroy, request("POST", "", "Cookie: "+pair))
				if got := cookies(res); len(got) != 1 || got[0] != c.want+"; Max-Age=0" {
					t.Errorf("Set-Cookie is %q, want %q", got, c.want+"; Max-Age=0")
				}
			})
			t.Run("C3 the credential is nowhere else", func(t *testing.T) {
				res.Header.Del("Set-Cookie")
				for name, values := range res.Header {
					if strings.Contains(strings.Join(values, " "), value[22:]) {
						t.Errorf("%s is %q", name, values)
					}
				}
			})
		})
	}
}

func TestCookieLines(t *testing.T) {
	t.Parallel()
	h := build(t)
	mine, other := h.session("me"), h.session("somebody else")
	a, b := mine.Credential().Reveal(), other.Credential().Reveal()
	for name, c := range map[string]struct {
		lines []string
		want  string
	}{
		"C11 several lines":                   {[]string{"Cookie: x=1", "Cookie: session=" + a, "Cookie: y=2"}, "me"},
		"C11 without spaces":                  {[]string{"Cookie: x=1;session=" + a + ";y=2"}, "me"},
		"C12 twice the same":                  {[]string{"Cookie: session=" + a, "Cookie: session=" + a}, "me"},
		"C12 twice, different":                {[]string{"Cookie: session=" + a + "; session=" + b}, ""},
		"C12 twice, in the other order":       {[]string{"Cookie: session=" + b, "Cookie: session=" + a}, ""},
		"C12 twice, one malformed":            {[]string{"Cookie: session=x; session=" + a}, ""},
		"C12 twice, one empty":                {[]string{"Cookie: session; session=" + a}, ""},
		"C12 three times":                     {[]string{"Cookie: session=" + a + "; session=" + b + "; session=" + a}, ""},
		"another case is another cookie":      {[]string{"Cookie: Session=" + a}, ""},
		"quoted":                              {[]string{`Cookie: session="` + a + `"`}, ""},
		"an empty name is no prefix":          {[]string{"Cookie: =session=" + a}, ""},
		"S4 a value that only starts like it": {[]string{"Cookie: session=" + a + ".x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := body(t, h.serve(who, request("GET", "", c.lines...))); got != c.want {
				t.Errorf("the session is %q's, want %q", got, c.want)
			}
		})
	}
}

func TestLongestCookie(t *testing.T) {
	t.Parallel()
	longest := func(m *session.Config, c *chimw.Config) {
		m.Name, c.InsecureCookie, c.Domain = strings.Repeat("n", 64), false, strings.Repeat("a.", 126)+"a"
	}
	t.Run("C6 name and value are at most 4,096 octets", func(t *testing.T) {
		t.Parallel()
		line := cookies(build(t, longest).serve(put("me"), request("POST", "")))[0]
		pair, _, _ := strings.Cut(line, ";")
		if c, err := http.ParseSetCookie(line); err != nil || len(pair)-1 > 4096 || c.Name != "__Secure-"+strings.Repeat("n", 64) {
			t.Errorf("%d octets: %v", len(pair)-1, err)
		}
	})
	t.Run("C6 a longer name is refused at construction", func(t *testing.T) {
		t.Parallel()
		for _, name := range []string{strings.Repeat("n", 65), "a b", "a=b", "a;b", "ä"} {
			_, err := session.NewManager(session.Config{Store: build(t).store, Name: name})
			if err == nil || !strings.Contains(err.Error(), "session.Config.Name") {
				t.Errorf("the name %q gives %v", name, err)
			}
		}
	})
}

func TestPersistent(t *testing.T) {
	t.Parallel()
	t.Run("C7 C8 at most 400 days", func(t *testing.T) { synctest.Test(t, testPersistent) })
}

func testPersistent(t *testing.T) {
	h := build(t, func(m *session.Config, c *chimw.Config) {
		c.Persistent = true
		m.Lifetime, m.MaxLifetime = time.Hour, 400*24*time.Hour
	})
	res := h.serve(put("me"), request("POST", ""))
	line := cookies(res)[0]
	if !strings.HasSuffix(line, "; Max-Age=3600") {
		t.Errorf("Set-Cookie is %q, want Max-Age=3600", line)
	}
	pair, _, _ := strings.Cut(line, ";")
	res = h.serve(change(func(s *session.Session) { s.ExpireAt(time.Now().Add(1000 * 24 * time.Hour)) }), request("POST", "", "Cookie: "+pair))
	if got := cookies(res); len(got) != 1 || !strings.HasPrefix(got[0], pair) || !strings.HasSuffix(got[0], "; Max-Age=34560000") {
		t.Errorf("C7 Set-Cookie is %q, want the same value for 400 days", got)
	}
	wantNoCookie(t, h.serve(who, request("GET", "", "Cookie: "+pair)))
}
