package browser_test

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/coatcheck/coatcheck/internal/await"
)

// A tab is the only one of a browser context of its own, as if it were somebody
// else's browser.
type tab struct {
	*watch
	t   *testing.T
	ctx context.Context
}

// open makes a tab, and shows a page in it. Requests may go to its origin.
func open(t *testing.T, origin string) *tab {
	t.Helper()
	b := blank(t, origin)
	b.visit(origin + "/")
	return b
}

// blank makes a tab with an empty page.
func blank(t *testing.T, origins ...string) *tab {
	t.Helper()
	w := &watch{origins: origins, headers: make(map[network.RequestID][]network.Headers)}
	ctx, cancel := chromedp.NewContext(browserContext(t), chromedp.WithNewBrowserContext(), chromedp.WithListener(w.see))
	b := &tab{watch: w, t: t, ctx: ctx}
	t.Cleanup(func() {
		_, _ = attempt(b, chromedp.Evaluate[int]("0")) // what was to be seen before has been seen after it
		cancel()
		for _, c := range w.unexpected() {
			t.Errorf("the browser complains: %s", c)
		}
	})
	if err := chromedp.Do(ctx); err != nil { // opens it: it would end with the context of do
		t.Fatal(err)
	}
	tell(b, audits.Enable, cdp.Empty{})
	// Of all tabs of a browser only one has the focus. Here each behaves as if it had.
	tell(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	return b
}

// tell gives the browser a command for the tab.
func tell[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	return do(b, func(ctx context.Context, t *chromedp.Target) (R, error) { return cdp.Call(ctx, t, command, params) })
}

func do[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	result, err := attempt(b, action)
	if err != nil {
		b.t.Fatalf("%v\n%s", err, b.state())
	}
	return result
}

// attempt is for what fails while one page gives way to another.
func attempt[T any](b *tab, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, await.Limit)
	defer cancel()
	return chromedp.Run(ctx, action)
}

// eval asks the page. It works with scripts turned off too: that is about the
// page's own.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	return do(b, chromedp.Evaluate[T](script))
}

// state tells what there was when a test failed.
func (b *tab) state() string {
	var s strings.Builder
	for _, r := range b.all() {
		s.WriteString(r.String() + "\n")
	}
	text, _ := attempt(b, chromedp.Evaluate[string]("document.documentElement.innerText"))
	return s.String() + text
}

// expect names a part of a complaint that is none.
func (b *tab) expect(part string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = append(b.expected, part)
}

func (b *tab) visit(url string) {
	b.t.Helper()
	do(b, chromedp.Navigate(url))
}

// submit clicks on the button of a form, and waits for the page that comes of it.
func (b *tab) submit(form string) {
	b.t.Helper()
	b.loading(chromedp.Click(chromedp.CSS(form + " button")))
}

// loading does what makes the browser load a page, and waits for that.
func (b *tab) loading(action chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	do(b, func(ctx context.Context, _ *chromedp.Target) (*network.Response, error) {
		return chromedp.RunResponse(ctx, action)
	})
}

// fill types into a field.
func (b *tab) fill(field, text string) {
	b.t.Helper()
	do(b, chromedp.SendKeys(chromedp.CSS(field), text))
}

// signIn does so from the signed-out page.
func (b *tab) signIn(name string) {
	b.t.Helper()
	b.fill("#form-login input", name)
	b.submit("#form-login")
	b.await("#subject", name)
}

// text returns what an element shows, or "" if there is none.
func (b *tab) text(element string) string {
	b.t.Helper()
	return eval[string](b, textOf(element))
}

func textOf(element string) string {
	return "document.querySelector('" + element + "')?.innerText.trim() ?? ''"
}

// await waits until an element shows a text, perhaps among others.
func (b *tab) await(element, text string) {
	b.t.Helper()
	eventually(b.t, func() bool {
		got, err := attempt(b, chromedp.Evaluate[string](textOf(element)))
		return err == nil && strings.Contains(got, text)
	}, func() string { return element + " with " + text + "\n" + b.state() })
}

// has reports whether there is such an element.
func (b *tab) has(element string) bool {
	b.t.Helper()
	return eval[bool](b, "document.querySelector('"+element+"') !== null")
}
