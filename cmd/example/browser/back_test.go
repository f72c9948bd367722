package browser_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestBackAfterSigningOut has somebody sit down at a browser after its user has
// signed out. Neither of its caches may show what was there before. Where scripts
// run, other things keep the page out of them too; where none do, only
// Cache-Control: no-store does.
func TestBackAfterSigningOut(t *testing.T) {
	t.Parallel()
	origin := serve(t, "-idle", "30m")

	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run("the browser asks again, and gets the signed-out page, "+name, func(t *testing.T) {
			t.Parallel()
			b := blank(t, origin)
			b.allowScripts(scripts)
			b.visit(origin + "/")
			b.signIn("alice")
			b.visit(origin + "/?before") // nobody asks for this URL later, as the redirect does for "/"
			b.submit("#form-logout")
			requests := len(b.all())
			b.back()
			more := b.all()[requests:]
			if len(more) != 1 || more[0].url != origin+"/?before" || more[0].status != http.StatusOK || more[0].cached {
				t.Errorf("going back sent %v, want the page again", more)
			}
			if !b.has("#form-login") || b.shows("alice") {
				t.Errorf("back at the signed-in page:\n%s", b.state())
			}
		})
	}
	t.Run("a token is not shown again", func(t *testing.T) {
		t.Parallel()
		b := blank(t, origin)
		b.allowScripts(false)
		b.visit(origin + "/")
		b.signIn("alice")
		b.submit("#form-token")
		token := b.text("#token")
		b.submit("#form-logout")
		b.back() // to what was posted, which the browser won't send again unasked
		if token == "" || b.shows(token) || b.shows("alice") {
			t.Errorf("back at the page with the token %q:\n%s", token, b.state())
		}
	})
}

// back presses the button.
func (b *tab) back() {
	b.t.Helper()
	history := do(b, chromedp.NavigationEntries())
	if history.CurrentIndex < 1 {
		b.t.Fatal("there is nothing to go back to")
	}
	before := history.Entries[history.CurrentIndex-1]
	tell(b, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: before.ID})
	eventually(b.t, func() bool {
		now, err := attempt(b, chromedp.NavigationEntries())
		ready, err2 := attempt(b, chromedp.Evaluate[bool]("document.readyState === 'complete'"))
		return err == nil && err2 == nil && now.CurrentIndex == history.CurrentIndex-1 && ready
	}, b.state)
}

// shows reports whether a text can be seen or found anywhere in the page.
func (b *tab) shows(text string) bool {
	b.t.Helper()
	return strings.Contains(eval[string](b, "document.documentElement.outerHTML"), text)
}
