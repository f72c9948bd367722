package browser_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// focusables is what a keyboard must get at.
const focusables = `a[href], button:enabled, input:enabled:not([type=hidden]), textarea:enabled, select:enabled, summary, [tabindex="0"]`

func TestWithoutAMouse(t *testing.T) {
	t.Parallel()
	origin := serve(t, "-idle", "30m")

	t.Run("sign in, count, sign out", func(t *testing.T) {
		t.Parallel()
		b := open(t, origin)
		b.tabTo("#form-login input")
		do(b, chromedp.KeyEvent("alice"))
		b.enter()
		b.await("#subject", "alice")
		b.tabTo("#form-visit button")
		b.enter()
		b.await("#visits-count", "1")
		b.tabTo("#form-logout button")
		b.enter()
		if !b.has("#form-login") {
			t.Errorf("signed in still:\n%s", b.state())
		}
	})
	t.Run("everything can be reached", func(t *testing.T) {
		t.Parallel()
		b := open(t, origin)
		b.signIn("alice")
		b.submit("#form-token")
		for range eval[int](b, "document.querySelectorAll('"+focusables+"').length + 5") {
			b.pressTab()
			eval[chromedp.Void](b, "document.activeElement.setAttribute('data-reached', '')")
		}
		const missed = "[...document.querySelectorAll('" + focusables + "')]" +
			".filter(e => e.checkVisibility() && !e.hasAttribute('data-reached')).map(e => e.outerHTML)"
		if got := eval[[]string](b, missed); len(got) > 0 {
			t.Errorf("Tab does not get to %q", got)
		}
	})
}

// pressTab moves the focus, which must be seen then.
func (b *tab) pressTab() {
	b.t.Helper()
	do(b, chromedp.KeyEvent(kb.Tab))
	if problem := eval[string](b, focusProblem); problem != "" {
		b.t.Errorf("the focus can't be seen: %s", problem)
	}
}

// enter presses the key where that loads a page.
func (b *tab) enter() {
	b.t.Helper()
	b.loading(chromedp.KeyEvent(kb.Enter))
}

// tabTo presses Tab until an element has the focus.
func (b *tab) tabTo(element string) {
	b.t.Helper()
	for range 100 {
		b.pressTab()
		if eval[bool](b, "document.activeElement.matches('"+element+"')") {
			return
		}
	}
	b.t.Fatalf("Tab does not get to %s:\n%s", element, b.state())
}

// focusProblem says what keeps people from seeing where the focus is.
const focusProblem = `(() => {
	const e = document.activeElement
	if (e === document.body) return '' // between the last element and the first
	const style = getComputedStyle(e), box = e.getBoundingClientRect()
	if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) return 'no outline: ' + e.outerHTML
	if (box.bottom <= 0 || box.top >= innerHeight || box.width === 0) return 'out of sight: ' + e.outerHTML
	return ''
})()`
