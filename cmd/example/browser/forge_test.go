package browser_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// TestForge compares what the page says of memcached's get counter with the
// counter itself.
func TestForge(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	origin := serve(t, "-memcached", server.Addr(), "-idle", "30m")
	b := open(t, origin)
	b.signIn("alice")
	b.submit("#form-token")
	token := b.text("#token")
	forged := forge(token)

	// try shows the token in the field, and returns how far the counter moved for it, as the page says.
	try := func(want string) int {
		t.Helper()
		least := server.Stat(t, "cmd_get")
		b.submit("#form-forge")
		if got := b.text("#forge-status"); got != want {
			t.Errorf("it says %q, want %q:\n%s", got, want, b.state())
		}
		before, after := b.number("#forge-gets-before"), b.number("#forge-gets-after")
		if most := server.Stat(t, "cmd_get"); before < least || after > most {
			t.Errorf("it says %d and %d, but memcached has counted from %d to %d", before, after, least, most)
		}
		return after - before
	}

	paste := func(token string) {
		t.Helper()
		eval[chromedp.Void](b, "document.querySelector('#forgery').select()")
		tell(b, input.InsertText, input.InsertTextParams{Text: token})
	}

	if paste(forged); try("401 Unauthorized") != 0 {
		t.Errorf("a forged token moves the counter:\n%s", b.state())
	}
	if paste(token); try("200 OK") != 1 {
		t.Errorf("a good token does not cost one get:\n%s", b.state())
	}
	kinds := eval[[]string](b, "[...document.querySelectorAll('#forge a')].map(a => a.href)")
	for _, link := range kinds {
		if b.visit(link); try("401 Unauthorized") != 0 {
			t.Errorf("%s moves the counter:\n%s", link, b.state())
		}
	}
	if len(kinds) < 4 {
		t.Errorf("only %d kinds of forgeries are on offer", len(kinds))
	}
	before := server.Stat(t, "cmd_get")
	if status, _ := ask(t, origin, forged); status != http.StatusUnauthorized {
		t.Errorf("a program that shows it: %d", status)
	}
	if after := server.Stat(t, "cmd_get"); after != before {
		t.Errorf("a program that shows it costs %d gets", after-before)
	}
}

// forge changes the first character of a token's signature.
func forge(token string) string {
	at := strings.LastIndexByte(token, '.') + 1
	other := "A"
	if token[at] == 'A' {
		other = "B"
	}
	return token[:at] + other + token[at+1:]
}

// number is the one that an element shows.
func (b *tab) number(element string) int {
	b.t.Helper()
	n, err := strconv.Atoi(b.text(element))
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", element, err, b.state())
	}
	return n
}
