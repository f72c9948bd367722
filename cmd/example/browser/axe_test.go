package browser_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/coatcheck/coatcheck/internal/needs"
	"github.com/coatcheck/coatcheck/internal/npmtest"
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
		needs.Missing(b.t, required, err)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	eval[chromedp.Void](b, source)
	run := "axe.run({runOnly: " + rules + ", resultTypes: ['violations']}).then(r => r.violations)"
	return do(b, chromedp.Evaluate[[]violation](run, chromedp.EvalAwaitPromise))
}

// axeSource is the script that package-lock.json names. To find it fails once, not
// once for each test.
var axeSource = sync.OnceValues(func() (string, error) {
	modules, err := npmtest.Modules(".")
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(modules, "axe-core", "axe.min.js"))
	return string(text), err
})

func TestPackageLock(t *testing.T) {
	t.Parallel()
	if err := npmtest.CheckLock("package-lock.json"); err != nil {
		t.Error(err)
	}
}
