package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const page = "before\n<!-- summary: written by make bench -->\nold\n<!-- summary: end -->\n" +
	"<!-- everything: written by make bench -->\nold\n<!-- everything: end -->\nafter\n"

// What was measured in part, or too seldom, leaves the page as it is, also when it
// is read again later.
func TestPublish(t *testing.T) {
	measured, err := os.ReadFile("../../report/testdata/results.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, head string
		lines      string
		written    bool
	}{
		{"all of it", "scale: 1\n", string(measured), true},
		{"a hundredth", "scale: 0.01\n", string(measured), false},
		{"nobody knows how much", "", string(measured), false},
		{"two rounds", "scale: 1\n", strings.Repeat("BenchmarkReads/work=empty/by=none/sessions=own/clients=64/library=chi-2\t1\t1 ns/op\n", 2), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			for name, content := range map[string]string{"page.md": page, "all.txt": test.head + test.lines} {
				if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := (options{page: "page.md"}).publish("all.txt"); err != nil {
				t.Fatal(err)
			}
			after, err := os.ReadFile("page.md")
			if err != nil {
				t.Fatal(err)
			}
			files, _ := filepath.Glob("*.svg")
			kept, _ := os.ReadFile(raw)
			written := string(after) != page
			if written != test.written || len(files) > 0 != test.written || len(kept) > 0 != test.written {
				t.Errorf("the page is written: %v, charts %q, %d bytes of results; want any: %v", written, files, len(kept), test.written)
			}
			if test.written && (!strings.HasPrefix(string(after), "before\n") || strings.Contains(string(after), "old\n") || string(kept) != test.head+test.lines) {
				t.Error("what was written is not what was measured, where it belongs")
			}
		})
	}
}

func TestNoBase(t *testing.T) {
	t.Parallel()
	v, err := options{base: "-"}.buildBase(t.Context(), t.TempDir())
	if v != nil || err != nil {
		t.Errorf("%v, %v", v, err)
	}
	v.remove() // of nothing
	if _, err := (options{base: "no-such-version"}).buildBase(t.Context(), t.TempDir()); err == nil {
		t.Error("an unknown version is no mistake")
	}
}
