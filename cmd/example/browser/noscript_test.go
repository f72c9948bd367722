package browser_test

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// TestWithoutScripts does all that can be done, in a browser that runs none.
func TestWithoutScripts(t *testing.T) {
	t.Parallel()
	origin := serve(t, "-memcached", memcachedtest.Start(t).Addr(), "-idle", "30m")
	other := open(t, origin)
	other.signIn("alice")

	b := blank(t, origin)
	b.allowScripts(false)
	b.visit(origin + "/")
	b.signIn("alice")
	b.submit("#form-visit")
	b.await("#visits-count", "1")
	b.submit("#form-token")
	token := b.text("#token")
	if _, d := ask(t, origin, token); d.Subject != "alice" || d.Visits != 1 {
		t.Errorf("the token %q leads to %+v", token, d)
	}
	b.submit("#form-forge")
	b.await("#forge-status", "401")
	b.visit(origin + "/")
	b.submit(row(other.text("#session-id")))
	if other.visit(origin + "/"); !other.has("#form-login") {
		t.Errorf("the other browser is signed in still:\n%s", other.state())
	}
	other.signIn("alice")
	b.visit(origin + "/")
	b.submit("#form-end-others")
	if other.visit(origin + "/"); !other.has("#form-login") {
		t.Errorf("the other browser is signed in still:\n%s", other.state())
	}
	b.submit("#form-logout")
	if !b.has("#form-login") {
		t.Errorf("signed in still:\n%s", b.state())
	}
}

// allowScripts says whether the browser runs those of the pages to come.
func (b *tab) allowScripts(allow bool) {
	b.t.Helper()
	tell(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !allow})
}
