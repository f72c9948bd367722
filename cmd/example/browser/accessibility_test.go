package browser_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestAccessibility has axe-core judge every page, in light and dark, on a wide
// screen and on the narrowest that WCAG 2.2 wants to be enough (1.4.10).
func TestAccessibility(t *testing.T) {
	t.Parallel()
	origin := serve(t, "-idle", "30m")
	for name, show := range map[string]func(b *tab){
		"signed out": func(*tab) {},
		"signed in":  func(b *tab) { b.signIn("alice") },
		"a token": func(b *tab) {
			b.signIn("alice")
			b.submit("#form-token")
		},
		"a forgery": func(b *tab) {
			b.signIn("alice")
			b.submit("#form-forge")
		},
		"a problem": func(b *tab) {
			b.expect("the server responded with a status of 404")
			b.visit(origin + "/nowhere")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, origin)
			show(b)
			for _, scheme := range []string{"light", "dark"} {
				for _, width := range []int64{1280, 320} {
					b.look(scheme, width)
					b.wantAccessible(fmt.Sprintf("%s, %d px", scheme, width))
				}
			}
		})
	}
}

// look makes the browser prefer a colour scheme, and its window that wide.
func (b *tab) look(scheme string, width int64) {
	b.t.Helper()
	do(b, chromedp.EmulateViewport(width, 800))
	tell(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

func (b *tab) wantAccessible(look string) {
	b.t.Helper()
	for _, v := range b.axe() {
		b.t.Errorf("%s: %v", look, v)
	}
	const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
	if got := eval[int](b, overflow); got > 0 {
		b.t.Errorf("%s: %d px too wide, which must be scrolled", look, got)
	}
}
