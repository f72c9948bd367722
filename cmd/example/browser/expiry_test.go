package browser_test

import (
	"testing"

	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// TestExpiry looks on while a session ends. The page must know without asking:
// a request would prolong it.
func TestExpiry(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	origin := serve(t, "-memcached", server.Addr(), "-idle", "10s") // long enough to sign in on a busy machine
	b := open(t, origin)
	b.signIn("alice")
	ended := b.text("#session-id")
	requests := len(b.all())

	b.await("#clock-status", "ended")
	if more := b.all()[requests:]; len(more) != 0 {
		t.Errorf("the page asked meanwhile: %v", more)
	}
	b.visit(origin + "/")
	if b.has("#form-logout") || b.text("#session-id") == ended {
		t.Errorf("the server knows the session still:\n%s", b.state())
	}
}
