package main_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/session/memcached"
)

// TestOperations checks what docs/operations.md says that is not measured or
// walked elsewhere: its tables are complete, its program compiles, and its
// links lead somewhere.
func TestOperations(t *testing.T) {
	t.Parallel()
	text := page(t, "docs/operations.md")
	t.Run("links", func(t *testing.T) {
		t.Parallel()
		checkPage(t, "docs/operations.md", 5)
	})
	t.Run("every kind of event has a row", func(t *testing.T) {
		t.Parallel()
		for name, level := range eventKinds(t) {
			if row := rowOf(text, name); !strings.Contains(row, "| "+level+" |") {
				t.Errorf("%q: want a row with level %q, got %q", name, level, row)
			}
		}
	})
	t.Run("every field of NodeHealth has a row", func(t *testing.T) {
		t.Parallel()
		for _, field := range reflect.VisibleFields(reflect.TypeFor[memcached.NodeHealth]()) {
			if rowOf(text, field.Name) == "" {
				t.Errorf("there is no row of %s", field.Name)
			}
		}
	})
	t.Run("the program compiles", func(t *testing.T) {
		t.Parallel()
		programs := blocks(text, "go")
		if len(programs) != 1 {
			t.Fatalf("%d programs, want 1", len(programs))
		}
		buildProgram(t, "package main\n\nimport \"github.com/coatcheck/coatcheck/session/memcached\"\n\n"+programs[0]+"\nfunc main() { _ = change }\n")
	})
}

// rowOf returns the row whose first cell has a term, or "".
func rowOf(text, term string) string {
	return regexp.MustCompile("(?m)^\\|[^|]*`" + regexp.QuoteMeta(term) + "`[^|]*\\|.*$").FindString(text)
}

// eventKinds reads the source for the kinds there are, and for their levels.
func eventKinds(t *testing.T) map[string]string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root, "session", "event.go"))
	if err != nil {
		t.Fatal(err)
	}
	levels := make(map[string]string)
	for _, c := range regexp.MustCompile(`case ([A-Z][\w, ]+):\s+return slog\.Level(\w+)`).FindAllStringSubmatch(string(source), -1) {
		for kind := range strings.SplitSeq(c[1], ", ") {
			levels[kind] = map[string]string{"Error": "error", "Warn": "warning", "Info": "info"}[c[2]]
		}
	}
	kinds := make(map[string]string)
	for _, k := range regexp.MustCompile(`(?m)^\t(\w+)\s+Kind = "([^"]+)"`).FindAllStringSubmatch(string(source), -1) {
		kinds[k[2]] = levels[k[1]]
		if levels[k[1]] == "" {
			kinds[k[2]] = "debug"
		}
	}
	if len(kinds) < 11 || len(levels) < 7 {
		t.Fatalf("found only %v", kinds)
	}
	return kinds
}
