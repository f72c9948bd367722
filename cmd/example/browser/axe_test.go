package browser_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// rules are those of WCAG 2.2 up to level AA, and what else axe recommends.
const rules = `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]`

// A violation is what axe-core finds.
type violation struct {
	ID    string
	Help  string
	Nodes []struct {
		HTML           string
		FailureSummary string
	}
}

func (v violation) String() string {
	text := v.ID + ": " + v.Help
	for _, n := range v.Nodes {
		text += "\n" + n.HTML + "\n" + n.FailureSummary
	}
	return text
}

// axe has axe-core judge the page that the tab shows.
func (b *tab) axe() (found []violation) {
	b.t.Helper()
	source, err := axeSource()
	if errors.Is(err, exec.ErrNotFound) {
		missing(b.t, err)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	eval[chromedp.Void](b, source)
	run := "axe.run({runOnly: " + rules + ", resultTypes: ['violations']}).then(r => r.violations)"
	return do(b, chromedp.Evaluate[[]violation](run, chromedp.EvalAwaitPromise))
}

// axeSource is the script that package-lock.json names. It is in the user's
// cache, under the hash of that file: nothing is written to the checkout, which
// may be read-only. It fails once, not once for each test.
var axeSource = sync.OnceValues(func() (string, error) {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(lock)
	dir := filepath.Join(cache, "coatcheck", "browser-"+hex.EncodeToString(hash[:8]))
	script := filepath.Join(dir, "node_modules", "axe-core", "axe.min.js")
	if _, err := os.Stat(script); err != nil {
		if err := install(dir); err != nil {
			return "", err
		}
	}
	text, err := os.ReadFile(script)
	return string(text), err
})

// install makes the folder appear at once, so that nobody ever sees half of it.
func install(dir string) error {
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(parent, "npm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	if err := npmCI(fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, dir); err != nil {
		if _, absent := os.Stat(dir); absent != nil { // not even by another process, which was faster
			return err
		}
	}
	return nil
}

// npmCI lets npm fetch the packages, and compare them with their hashes.
func npmCI(dir string) error {
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retry-mintimeout=1000")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return nil
}

// TestPackageLock sees to it that npm accepts nothing but the very bytes that
// were tried, and that no registry's address is written down.
func TestPackageLock(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct{ Version, Integrity, Resolved string }
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		t.Fatal(err)
	}
	delete(lock.Packages, "") // this module itself
	if len(lock.Packages) == 0 {
		t.Error("no packages")
	}
	for name, p := range lock.Packages {
		if p.Version == "" || !strings.HasPrefix(p.Integrity, "sha512-") || p.Resolved != "" {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
