package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// attacker serves a page whose form is sent to a target as soon as somebody
// sees it. It returns the port.
func attacker(t *testing.T, target string) (port string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>You have won</title><link rel="icon" href="data:,">
<form method="post" action="%s"><input type="hidden" name="user" value="mallory"></form>
<script>document.forms[0].submit()</script>`, target)
	}))
	t.Cleanup(server.Close)
	return server.URL[strings.LastIndexByte(server.URL, ':')+1:]
}

// TestFormsOfOthers has pages of other origins send forms as a signed-in user.
// SameSite=Lax withholds the cookie from another site, but not from another port
// of the same host: it is for the server to refuse both.
func TestFormsOfOthers(t *testing.T) {
	t.Parallel()
	origin := serve(t, "-idle", "30m")
	for _, other := range []struct {
		host, site string
		cookie     bool
	}{
		{"localhost", "cross-site", false},
		{"127.0.0.1", "same-site", true},
	} {
		for _, path := range []string{"/visits", "/login", "/logout"} {
			t.Run("X4 "+path+" from "+other.host+", "+other.site, func(t *testing.T) {
				t.Parallel()
				evil := "http://" + other.host + ":" + attacker(t, origin+path)
				b := blank(t, origin, evil)
				b.expect("the server responded with a status of 403")
				b.expect("BounceTrackingIssue") // the attacker's page leads to another one at once
				b.visit(origin + "/")
				b.signIn("alice")
				b.submit("#form-visit")
				before := b.text("#session-id")

				b.visit(evil + "/")
				b.await("h1", "Forbidden")
				// Events about one request come in no certain order.
				eventually(t, func() bool { return b.last().status != 0 && b.header(b.last(), "Sec-Fetch-Site") != "" }, b.state)
				sent := b.last()
				if sent.method != http.MethodPost || sent.url != origin+path || sent.status != http.StatusForbidden {
					t.Errorf("the browser sent %v, want a POST to %s and 403", sent, path)
				}
				if got := b.header(sent, "Origin"); got != evil {
					t.Errorf("Origin %q, want %q", got, evil)
				}
				if got := b.header(sent, "Sec-Fetch-Site"); got != other.site {
					t.Errorf("Sec-Fetch-Site %q, want %q", got, other.site)
				}
				if got := b.header(sent, "Cookie") != ""; got != other.cookie {
					t.Errorf("with a cookie: %v, want %v", got, other.cookie)
				}

				b.visit(origin + "/")
				if b.text("#subject") != "alice" || b.text("#visits-count") != "1" || b.text("#session-id") != before {
					t.Errorf("something has changed, session %s:\n%s", before, b.state())
				}
			})
		}
	}
}
