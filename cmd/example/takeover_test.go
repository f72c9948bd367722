package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFilesToTakeOver compiles the files that docs/monitoring.md lists, and no
// others, as a package of somebody else's.
func TestFilesToTakeOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	module, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	overlay := make(map[string]string)
	for _, row := range regexp.MustCompile(`(?m)^\| \[(\w+\.go)\]\(\.\./cmd/example/`).FindAllStringSubmatch(page(t, "docs/monitoring.md"), -1) {
		name := row[1]
		source, ok := strings.CutPrefix(page(t, "cmd/example/"+name), "package main\n")
		if !ok {
			t.Fatalf("the package's name is not in the first line of %s", name)
		}
		overlay[filepath.Join(module, "taken", name)] = filepath.Join(dir, name)
		if err := os.WriteFile(filepath.Join(dir, name), []byte("package taken\n"+source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if len(overlay) < 7 {
		t.Fatalf("found only %v", overlay)
	}
	list, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, list, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", path, "./taken").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
