package main_test

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// TestMonitoring checks that docs/monitoring.md leaves nothing out that there is,
// and has nothing that there is not. TestReasons does so for reasons.
func TestMonitoring(t *testing.T) {
	t.Parallel()
	text := page(t, "docs/monitoring.md")
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
	t.Run("every metric has a row", func(t *testing.T) {
		t.Parallel()
		said := make(map[string]bool)
		for _, name := range metricName.FindAllString(text, -1) {
			said[name] = true
		}
		if exposed := metricNames(t); !maps.Equal(said, exposed) {
			t.Errorf("the page has %q, a process %q", sorted(said), sorted(exposed))
		}
	})
}

var metricName = regexp.MustCompile(`\bcoatcheck_[a-z_]+\b`)

// metricNames are the library's own that a process over memcached exposes.
func metricNames(t *testing.T) map[string]bool {
	t.Helper()
	server := memcachedtest.Start(t)
	_, metrics, _ := serveMetered(t, env{"COATCHECK_KEYS": keyA}, "-memcached", "n1="+server.Addr())
	names := make(map[string]bool)
	for _, series := range slices.Collect(maps.Keys(scrape(t, metrics))) {
		if name := metricName.FindString(series); name != "" {
			names[name] = true
		}
	}
	return names
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
