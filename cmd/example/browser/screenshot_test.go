package browser_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// TestScreenshots takes the documents' pictures, and writes them to the folder
// that COATCHECK_SCREENSHOTS names, if it is set.
func TestScreenshots(t *testing.T) {
	t.Parallel()
	nodes := "n1=" + memcachedtest.Start(t).Addr() + ",n2=" + memcachedtest.Start(t).Addr() + ",n3=" + memcachedtest.Start(t).Addr()
	origin := serve(t, "-memcached", nodes, "-idle", "30m")
	other, b := open(t, origin), open(t, origin)
	other.signIn("alice")
	b.signIn("alice")
	b.submit("#form-visit")
	for _, picture := range []struct {
		name, scheme string
		width        int64
		from, to     string // what it shows
	}{
		{"page-light.png", "light", 960, "body", "#sessions"},
		{"page-dark.png", "dark", 960, "body", "#sessions"},
		{"page-phone.png", "light", 390, "body", "#form-token"},
	} {
		b.look(picture.scheme, picture.width)
		b.picture(picture.name, picture.width, picture.from, picture.to)
	}
	b.look("light", 960)
	b.submit("#form-forge")
	b.picture("page-forged.png", 960, "#forge", "#nodes")
}

// picture shows the page from the top of one element's card to the bottom of
// another's, in its whole width.
func (b *tab) picture(name string, width int64, from, to string) {
	b.t.Helper()
	edge := func(selector, side string) float64 {
		return eval[float64](b, "(e => (e.closest('section') ?? e).getBoundingClientRect()."+side+" + scrollY)(document.querySelector('"+selector+"'))")
	}
	const margin = 16
	whole, top := true, max(0, edge(from, "top")-margin)
	data := tell(b, page.CaptureScreenshot, page.CaptureScreenshotParams{
		CaptureBeyondViewport: &whole,
		Clip:                  &page.Viewport{Y: top, Width: float64(width), Height: edge(to, "bottom") + margin - top, Scale: 1},
	}).Data
	wantPicture(b.t, name, data, int(width))
	if dir := os.Getenv("COATCHECK_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			b.t.Error(err)
		}
	}
}

// wantPicture checks that there is something to be seen.
func wantPicture(t *testing.T, name string, data []byte, width int) {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if size := picture.Bounds().Size(); size.X != width || size.Y < width/2 {
		t.Errorf("%s: %v, want %d wide", name, size, width)
	}
	if !colourful(picture) {
		t.Errorf("%s: hardly anything to be seen", name)
	}
}

// colourful tells a page with text from an empty one, which has a colour or two.
func colourful(picture image.Image) bool {
	seen := make(map[color.Color]bool)
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			if seen[picture.At(x, y)] = true; len(seen) > 50 {
				return true
			}
		}
	}
	return false
}
