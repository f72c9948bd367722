package main_test

import (
	"encoding/json"
	"html"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/internal/needs"
)

// shell runs a line as somebody who copied it would.
func shell(t *testing.T, line string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", line).Output()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return string(out)
}

// The browser's TestCopiedLines runs HTTPie's as well; here the header is one that needs quotes.
func TestLineToCopy(t *testing.T) {
	t.Parallel()
	const header = "X-'$HOME`id`"
	base := serve(t, nil, "-header", header)
	c := newBrowser(t, base).signIn("alice", "")
	a := c.postForm("/token", "").want(t, http.StatusCreated)
	needs.Program(t, "COATCHECK_REQUIRE_BROWSER", "sh")
	needs.Program(t, "COATCHECK_REQUIRE_BROWSER", "curl")
	line, ok := strings.CutPrefix(html.UnescapeString(a.element(t, "curl")), "curl ")
	if !ok {
		t.Fatal(line)
	}
	var d description
	if err := json.Unmarshal([]byte(shell(t, "curl -sS "+line)), &d); err != nil || d.Subject != "alice" || d.Carrier != "token" {
		t.Errorf("%s: %+v, %v", line, d, err)
	}
}

func TestWhereLinesLead(t *testing.T) {
	t.Parallel()
	cert, key, roots := certificate(t)
	plain, secure, tls := serve(t, nil), serve(t, nil, "-secure"), serve(t, nil, "-tls-cert", cert, "-tls-key", key)
	address := strings.TrimPrefix(plain, "http://")
	for name, tt := range map[string]struct{ base, host, want string }{
		"the address itself":     {plain, "", plain},
		"a name":                 {plain, "localhost:9000", "http://localhost:9000"},
		"a name without a port":  {plain, "sub-1.example", "http://sub-1.example"},
		"IPv6":                   {plain, "[::1]:9000", "http://[::1]:9000"},
		"a command":              {plain, "a';id;'", "http://" + address},
		"a substitution":         {plain, "$(id)", "http://" + address},
		"an option":              {plain, "-o", "http://" + address},
		"a user":                 {plain, "example.com:80@evil.example", "http://" + address},
		"behind a proxy for TLS": {secure, "app.example", "https://app.example"},
		"over TLS":               {tls, "", tls},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newBrowser(t, tt.base).trusting(roots)
			accept := c.edit
			c.edit = func(r *http.Request) { accept(r); r.Host = tt.host }
			a := c.postForm("/token", "").want(t, http.StatusCreated)
			for _, id := range []string{"curl", "httpie"} {
				if got := html.UnescapeString(a.element(t, id)); !strings.Contains(got, " '"+tt.want+"/session'") {
					t.Errorf("%s, want %s", got, tt.want)
				}
			}
		})
	}
}
