package chimw_test

import (
	"net/http"
	"strings"
	"testing"

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

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	_, err := chimw.New(chimw.Config{
		Header: "Cookie", MaxBody: -1, NoCookie: true, NoHeader: true, RefreshTokens: true,
		Persistent: true, Domain: "a..b", SameSite: 99, Realm: `"`, ClearSiteData: "\n",
	})
	for _, field := range []string{"Manager", "Header", "NoHeader", "MaxBody", "RefreshTokens", "Domain", "SameSite", "Realm", "ClearSiteData", "NoCookie"} {
		if err == nil || !strings.Contains(err.Error(), "chimw.Config."+field) {
			t.Errorf("%s is not reported in %v", field, err)
		}
	}
	_, err = chimw.New(chimw.Config{InsecureCookie: true, Partitioned: true, SameSite: http.SameSiteNoneMode, Header: "a b"})
	for _, field := range []string{"Header", "Partitioned", "SameSite"} {
		t.Run("C2 C4 C5 "+field, func(t *testing.T) {
			if err == nil || !strings.Contains(err.Error(), "chimw.Config."+field) {
				t.Errorf("%s is not reported in %v", field, err)
			}
		})
	}
	for _, domain := range []string{"example.com:80", "-a.com", "a-.com", "a b", strings.Repeat("a", 64) + ".com", strings.Repeat("a.", 130) + "com"} {
		if _, err := chimw.New(chimw.Config{Domain: domain}); err == nil || !strings.Contains(err.Error(), "Domain") {
			t.Errorf("Domain %q is not reported in %v", domain, err)
		}
	}
}
