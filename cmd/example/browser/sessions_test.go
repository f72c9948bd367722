package browser_test

import (
	"net/http"
	"testing"

	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// TestSessions has one account in two browsers, and in a program with a token of
// the first.
func TestSessions(t *testing.T) {
	t.Parallel()
	origin := serve(t, "-memcached", memcachedtest.Start(t).Addr(), "-idle", "30m")
	one, two := open(t, origin), open(t, origin)
	signedOut := func(b *tab) {
		t.Helper()
		b.visit(origin + "/")
		if !b.has("#form-login") || b.text("#subject") == "alice" {
			t.Errorf("still signed in:\n%s", b.state())
		}
	}

	one.signIn("alice")
	two.signIn("alice")
	one.submit("#form-token")
	token := one.text("#token")
	if status, d := ask(t, origin, token); status != http.StatusOK || d.Subject != "alice" || d.ID != one.text("#session-id") {
		t.Fatalf("the program: %d %+v", status, d)
	}
	one.visit(origin + "/")
	if got := eval[int](one, "document.querySelectorAll('li[data-session-id]').length"); got != 2 {
		t.Errorf("%d sessions are listed, want 2:\n%s", got, one.state())
	}

	// One ends the other, and nobody else.
	one.submit(row(two.text("#session-id")))
	signedOut(two)
	if status, _ := ask(t, origin, token); status != http.StatusOK {
		t.Errorf("the program, whose session goes on: %d", status)
	}
	if one.visit(origin + "/"); one.text("#subject") != "alice" {
		t.Errorf("the browser that ended the other one is signed out:\n%s", one.state())
	}

	// Back again, it ends all others.
	two.signIn("alice")
	two.submit("#form-end-others")
	signedOut(one)
	if status, _ := ask(t, origin, token); status != http.StatusUnauthorized {
		t.Errorf("the program, whose session was ended: %d", status)
	}
	if two.visit(origin + "/"); two.text("#subject") != "alice" || two.has(row(one.text("#session-id"))) {
		t.Errorf("after ending all others:\n%s", two.state())
	}
}

// row is the list's entry of a session.
func row(id string) string { return `li[data-session-id="` + id + `"]` }
