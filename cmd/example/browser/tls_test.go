package browser_test

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
)

func TestCookieOverTLS(t *testing.T) {
	t.Parallel()
	cert, key := writeCertificate(t)
	origin := strings.Replace(serve(t, "-tls-cert", cert, "-tls-key", key, "-idle", "30m"), "127.0.0.1", "localhost", 1)
	b := open(t, origin)
	b.signIn("alice")
	b.submit("#form-visit")
	b.await("#visits-count", "1")

	cookies := tell(b, network.GetCookies, network.GetCookiesParams{}).Cookies
	if len(cookies) != 1 {
		t.Fatalf("%d cookies, want 1", len(cookies))
	}
	c := cookies[0]
	// A cookie for a whole domain would have a dot in front of it.
	if c.Name != "__Host-session" || c.Domain != "localhost" || c.Path != "/" || !c.Secure || !c.HTTPOnly || c.SameSite != network.CookieSameSiteLax {
		t.Errorf("%s: domain %s, path %s, Secure %v, HttpOnly %v, SameSite %s", c.Name, c.Domain, c.Path, c.Secure, c.HTTPOnly, c.SameSite)
	}
	b.expect("DocumentCookie") // that it is slow to read
	if got := eval[string](b, "document.cookie"); got != "" {
		t.Errorf("scripts can read %q", got)
	}
}
