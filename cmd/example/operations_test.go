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
// walked elsewhere: its tables are complete, and its program does what they say.
func TestOperations(t *testing.T) {
	t.Parallel()
	text := page(t, "docs/operations.md")
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
	t.Run("the program takes a process from step to step", func(t *testing.T) {
		t.Parallel()
		testChange(t, runbook(t))
	})
}

// change takes a running process through step 1, 2 or 3.
func change(store *memcached.Store, before, after []string, step int) error {
	lists := [][2][]string{{before, after}, {after, before}, {after, nil}}[step-1]
	return store.SetNodes(lists[0], lists[1])
}

func testChange(t *testing.T, steps []step) {
	t.Helper()
	before, after := []string{"n1=127.0.0.1:1", "n2=127.0.0.1:2"}, []string{"n1=127.0.0.1:1", "n2=127.0.0.1:2", "n3=127.0.0.1:3"}
	store, err := memcached.New(memcached.Config{Nodes: before})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	for i, want := range steps {
		if i > 0 {
			if err := change(store, before, after, i); err != nil {
				t.Fatal(err)
			}
		}
		nodes, agree := store.Nodes()
		if got := (step{strings.Join(nodes, ","), strings.Join(agree, ",")}); got != want {
			t.Errorf("after step %d: %v, want %v", i, got, want)
		}
	}
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
