// Package docs_test checks every page of the repository, links, commands and
// blocks of code, and what go doc shows of its packages. What it does not know
// it refuses.
package docs_test

import (
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const modulePath = "github.com/coatcheck/coatcheck"

// limit returns how many lines a page may have. A changelog grows with every
// change, and benchmarks.md is written by a program.
func limit(name string) int {
	switch name {
	case "README.md":
		return 250
	case "CHANGELOG.md", "docs/benchmarks.md":
		return math.MaxInt
	}
	return 400
}

// A repo is what pages are compared with.
type repo struct {
	root    string
	pages   map[string]*page
	sources []source
	modules map[string]string // go.mod by folder
	make    makefile
}

// A source is a file whose name ends as quotable says.
type source struct {
	name  string // its path in the repository, with slashes
	lines []string
}

// quotable are the kinds of files that a page may quote: each of them is
// compiled, run or read by some test.
var quotable = []string{".go", ".sh", ".mjs", ".js", ".sql", ".yml", ".yaml"}

func openRepo(t *testing.T) *repo {
	t.Helper()
	r, err := readRepo()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var readRepo = sync.OnceValues(func() (*repo, error) {
	root, err := filepath.Abs("..")
	if err != nil {
		return nil, err
	}
	r := &repo{root: root, pages: map[string]*page{}, modules: map[string]string{}}
	return r, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (d.Name()[0] == '.' || d.Name() == "node_modules" || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.Type().IsRegular():
			return r.add(path)
		}
		return nil
	})
})

func (r *repo) add(path string) error {
	name, err := filepath.Rel(r.root, path)
	if err != nil {
		return err
	}
	name = filepath.ToSlash(name)
	extension := filepath.Ext(name)
	if extension != ".md" && extension != ".mod" && name != "Makefile" && !slices.Contains(quotable, extension) {
		return nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text := strings.ReplaceAll(string(content), "\r\n", "\n")
	switch {
	case extension == ".md":
		r.pages[name] = parsePage(name, text)
	case strings.HasSuffix(name, "go.mod"):
		r.modules[filepath.ToSlash(filepath.Dir(name))] = text
	case name == "Makefile":
		r.make = parseMakefile(text)
	default:
		r.sources = append(r.sources, source{name, strings.Split(text, "\n")})
	}
	return nil
}

// TestPages checks every page.
func TestPages(t *testing.T) {
	t.Parallel()
	r := openRepo(t)
	if len(r.pages) < 9 || len(r.sources) < 100 {
		t.Fatalf("found only %d pages and %d other files", len(r.pages), len(r.sources))
	}
	for name, p := range r.pages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, err := range r.check(p) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// check says all that is wrong with a page.
func (r *repo) check(p *page) []error {
	wrong := p.unknown
	if n := strings.Count(p.text, "\n"); n > limit(p.name) {
		wrong = append(wrong, fmt.Errorf("%d lines, want at most %d", n, limit(p.name)))
	}
	return slices.Concat(wrong, r.checkLinks(p), r.checkBlocks(p), r.checkSpans(p))
}

// TestListsOfPages checks that what is said of single pages is said of pages that are there.
func TestListsOfPages(t *testing.T) {
	t.Parallel()
	for _, name := range openRepo(t).gone() {
		t.Errorf("there is no %s", name)
	}
}

// gone returns the pages of unchecked and replayed that are not there.
func (r *repo) gone() (names []string) {
	for key := range unchecked {
		names = append(names, strings.Fields(key)[0])
	}
	names = slices.AppendSeq(names, maps.Keys(replayed))
	return slices.DeleteFunc(names, func(name string) bool { return r.pages[name] != nil })
}
