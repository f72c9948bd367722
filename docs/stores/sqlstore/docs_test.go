package sqlstore_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/internal/textfile"
)

// What is checked of every page is checked there, code and links among it.
const docs = "../.."

// TestDocsOutput runs the suite over a store with a bug, and checks that it says
// what the page shows, times and places in the suite left out.
func TestDocsOutput(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPlanted$/Delete")
	cmd.Env = append(os.Environ(), "COATCHECK_PLANTED=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Error("the suite passes over a store with a bug")
	}
	said := regexp.MustCompile(`( \(\d+\.\d+s\)|[a-z]+\.go:\d+: )`).ReplaceAllString(string(out), "")
	shown := textfile.Blocks(textfile.Read(t, filepath.Join(docs, "stores.md")), "text")
	if len(shown) != 1 {
		t.Fatalf("%d blocks of output", len(shown))
	}
	for line := range strings.Lines(unindented(shown[0])) {
		if !strings.Contains("\n"+unindented(said), "\n"+line) {
			t.Errorf("the suite doesn't say\n%s\nbut\n%s", line, said)
		}
	}
}

// TestDocsRules checks that the rules which the page quotes are the suite's,
// and that it leaves none out.
func TestDocsRules(t *testing.T) {
	t.Parallel()
	page := textfile.Read(t, filepath.Join(docs, "stores.md"))
	var suite strings.Builder
	for _, file := range goFiles(t, filepath.Join(docs, "../session/storetest")) {
		if !strings.HasSuffix(file, "_test.go") {
			suite.WriteString(textfile.Read(t, file))
		}
	}
	rules := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^\t\{"([^"]+)", `).FindAllStringSubmatch(suite.String(), -1) {
		rules[m[1]] = true
	}
	quoted := make(map[string]bool)
	for _, m := range regexp.MustCompile(`“([^”]+)”`).FindAllStringSubmatch(page, -1) {
		quoted[m[1]] = true
	}
	for rule := range quoted {
		if !rules[rule] {
			t.Errorf("the suite has no rule %q", rule)
		}
	}
	for rule := range rules {
		if !quoted[rule] {
			t.Errorf("the page doesn't quote the rule %q", rule)
		}
	}
}

func unindented(text string) string {
	return regexp.MustCompile(`(?m)^[ \t]+`).ReplaceAllString(text, "")
}

func goFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files in %s, %v", len(files), dir, err)
	}
	return files
}
