package browser_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/internal/needs"
)

// binaries are the names that Chromium goes by, and its closest relative.
var binaries = []string{"chromium", "chromium-browser", "google-chrome"}

// chromium is the one browser process of all tests, which have a browser context
// each: cookies, cache and permissions of their own.
var chromium = sync.OnceValues(startChromium)

// stopChromium ends the process, and waits for that.
var stopChromium = func() {}

func browserContext(t *testing.T) context.Context {
	t.Helper()
	ctx, err := chromium()
	if errors.Is(err, exec.ErrNotFound) {
		needs.Missing(t, required, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return ctx
}

func startChromium() (context.Context, error) {
	path, err := lookPath(binaries)
	if err != nil {
		return nil, err
	}
	spki, err := certificateHash()
	if err != nil {
		return nil, err
	}
	ctx, err := launch(path, spki)
	if err != nil && os.Getuid() != 0 {
		// Many a container has no user namespaces to build a sandbox from. All that this browser ever sees is ours.
		return launch(path, spki, chromedp.NoSandbox)
	}
	return ctx, err
}

func lookPath(names []string) (path string, err error) {
	for _, name := range names {
		if path, err = exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("none of %s: %w", strings.Join(names, ", "), exec.ErrNotFound)
}

// launch starts a process with a profile of its own, which goes with it. As root
// it has no sandbox, which Chromium would refuse to build.
func launch(path, spki string, more ...chromedp.ExecAllocatorOption) (context.Context, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true),
		// Nothing that these tests do leaves the machine, whatever the page or Chromium itself would like.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"),
		// Of self-signed certificates ours is accepted. Other mistakes of TLS remain mistakes.
		chromedp.Flag("ignore-certificate-errors-spki-list", spki),
	)
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), append(options, more...)...)
	ctx, cancel := chromedp.NewContext(allocator)
	stop := func() {
		soon, cancel := context.WithTimeout(ctx, await.Limit)
		defer cancel()
		_ = chromedp.Cancel(soon) // or else:
		stopAllocator()           // which kills it, and waits
	}
	hang := time.AfterFunc(await.Limit, cancel)
	defer hang.Stop()
	if err := chromedp.Do(ctx); err != nil {
		stop()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	stopChromium = stop
	return ctx, nil
}
