package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestRequirements holds the table of security.md against the tests: each
// requirement has one row, each row a test, and each test its row.
func TestRequirements(t *testing.T) {
	t.Parallel()
	rows := readRequirements(t)
	tests := testFolders(t, "..")
	t.Run("every row is there once", func(t *testing.T) {
		t.Parallel()
		for _, mistake := range rowGaps(rows) {
			t.Error(mistake)
		}
	})
	t.Run("every row has tests that carry its ID", func(t *testing.T) {
		t.Parallel()
		for _, row := range rows {
			for _, mistake := range row.mistakes(tests) {
				t.Errorf("%s: %s", row.id, mistake)
			}
		}
	})
	t.Run("every ID that a test carries has a row", func(t *testing.T) {
		t.Parallel()
		known := map[string]bool{}
		for _, row := range rows {
			known[row.id] = true
		}
		for _, folder := range slices.Sorted(maps.Keys(tests)) {
			for where, ids := range tests[folder].carriers() {
				for id := range ids {
					if !known[id] {
						t.Errorf("%s: %s carries %s, which has no row", folder, where, id)
					}
				}
			}
		}
	})
}

// A requirement is a line of the table: ID, what holds, tests, sources.
type requirement struct {
	id    string
	tests []testLink
}

// A testLink is a link of a row: a test's name, and its file's path from the root.
type testLink struct{ name, file string }

var (
	requirementLine = regexp.MustCompile(`^\| ([A-Z]\d+) \| [^|]+ \| ([^|]*) \| [^|]+ \|$`)
	requirementLink = regexp.MustCompile(`\[(Test\w+)\]\(\.\./([\w./]+_test\.go)\)`)
)

func readRequirements(t *testing.T) (rows []requirement) {
	t.Helper()
	text, err := os.ReadFile("security.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		cells := requirementLine.FindStringSubmatch(strings.TrimSpace(line))
		if cells == nil {
			continue
		}
		row := requirement{id: cells[1]}
		for _, link := range requirementLink.FindAllStringSubmatch(cells[2], -1) {
			row.tests = append(row.tests, testLink{link[1], link[2]})
		}
		if n := strings.Count(cells[2], "]("); n != len(row.tests) {
			t.Errorf("%s: %d links, of which %d lead to tests", row.id, n, len(row.tests))
		}
		rows = append(rows, row)
	}
	return rows
}

// idSeries are the letters of the IDs. Each counts from 1.
const idSeries = "SCHJVXKEM"

func rowGaps(rows []requirement) (mistakes []string) {
	seen, last := map[string]int{}, map[byte]int{}
	for _, row := range rows {
		seen[row.id]++
		letter := row.id[0]
		n, _ := strconv.Atoi(row.id[1:])
		last[letter] = max(last[letter], n)
		if !strings.Contains(idSeries, string(letter)) {
			mistakes = append(mistakes, row.id+" is of no series")
		}
	}
	for _, letter := range []byte(idSeries) {
		for n := range max(last[letter], 1) {
			if id := fmt.Sprint(string(letter), n+1); seen[id] != 1 {
				mistakes = append(mistakes, fmt.Sprintf("%s has %d rows", id, seen[id]))
			}
		}
	}
	return mistakes
}

func (row requirement) mistakes(tests map[string]*testFolder) (mistakes []string) {
	if len(row.tests) == 0 {
		return []string{"has no test"}
	}
	for _, test := range row.tests {
		folder := tests[filepath.Dir(test.file)]
		switch {
		case folder == nil || folder.files[test.name] != filepath.Base(test.file):
			mistakes = append(mistakes, test.name+" is not in "+test.file)
		case !folder.tests[test.name][row.id] && !folder.shared[row.id]:
			mistakes = append(mistakes, test.name+" has no subtest that carries it")
		}
	}
	return mistakes
}

// A testFolder is what the test files of a folder hold.
type testFolder struct {
	files  map[string]string          // of tests, by their names
	tests  map[string]map[string]bool // IDs that a test's own texts carry
	shared map[string]bool            // IDs in tables and helpers, for any test of the folder
}

func (f *testFolder) carriers() map[string]map[string]bool {
	all := maps.Clone(f.tests)
	all["a table or a helper"] = f.shared
	return all
}

// testFolders reads all test files, of every module.
func testFolders(t *testing.T, root string) map[string]*testFolder {
	t.Helper()
	folders := map[string]*testFolder{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		within, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		within = filepath.ToSlash(within)
		if folders[within] == nil {
			folders[within] = &testFolder{map[string]string{}, map[string]map[string]bool{}, map[string]bool{}}
		}
		folders[within].read(filepath.Base(path), file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return folders
}

func (f *testFolder) read(base string, file *ast.File) {
	for _, decl := range file.Decls {
		ids := f.shared
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
			ids = map[string]bool{}
			f.files[fn.Name.Name], f.tests[fn.Name.Name] = base, ids
			for id := range leadingIDs(strings.TrimPrefix(fn.Name.Name, "Test")) {
				ids[id] = true
			}
		}
		collectIDs(decl, ids)
	}
}

// collectIDs collects the IDs that texts begin with, but for those of messages.
func collectIDs(node ast.Node, ids map[string]bool) {
	ast.Inspect(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			sel, ok := n.Fun.(*ast.SelectorExpr)
			return !ok || !message.MatchString(sel.Sel.Name)
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				for id := range leadingIDs(text) {
					ids[id] = true
				}
			}
		}
		return true
	})
}

var (
	message  = regexp.MustCompile(`^(Error|Fatal|Log|Skip)f?$`)
	idPrefix = regexp.MustCompile(`^(?:[` + idSeries + `][1-9]\d?(?: |$|[A-Z][a-z]))+`)
	oneID    = regexp.MustCompile(`[` + idSeries + `][1-9]\d?`)
)

// leadingIDs yields the IDs that a name begins with: "S8 S17 concurrent
// changes", or the S8 of TestS8Something.
func leadingIDs(name string) map[string]bool {
	ids := map[string]bool{}
	for _, id := range oneID.FindAllString(idPrefix.FindString(name), -1) {
		ids[id] = true
	}
	return ids
}

// TestRequirementsAreHeld plants the mistakes that TestRequirements is there for.
func TestRequirementsAreHeld(t *testing.T) {
	t.Parallel()
	folder := func(source string) map[string]*testFolder {
		file, err := parser.ParseFile(token.NewFileSet(), "x_test.go", "package x_test\n"+source, 0)
		if err != nil {
			t.Fatal(err)
		}
		f := &testFolder{map[string]string{}, map[string]map[string]bool{}, map[string]bool{}}
		f.read("x_test.go", file)
		return map[string]*testFolder{"a": f}
	}
	row := requirement{"S8", []testLink{{"TestX", "a/x_test.go"}}}
	for name, c := range map[string]struct {
		source string
		fine   bool
	}{
		"by a subtest":           {`func TestX(t *testing.T) { t.Run("S8 it holds", nil) }`, true},
		"beside another":         {`func TestX(t *testing.T) { t.Run("M13 S8 it holds", nil) }`, true},
		"by a table":             {`func TestX(t *testing.T) {}; var rows = map[string]int{"S8 it holds": 1}`, true},
		"by another test's name": {`func TestX(t *testing.T) {}; func TestS8Holds(t *testing.T) {}`, false},
		"elsewhere":              {`func TestX(t *testing.T) {}; func TestY(t *testing.T) { t.Run("S8 it holds", nil) }`, false},
		"by another ID":          {`func TestX(t *testing.T) { t.Run("S81 it holds", nil) }`, false},
		"later in the text":      {`func TestX(t *testing.T) { t.Run("it holds S8", nil) }`, false},
		"in a message":           {`func TestX(t *testing.T) { t.Errorf("S8 it does not hold") }`, false},
		"by a test that isn't":   {`func TestZ(t *testing.T) { t.Run("S8 it holds", nil) }`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := row.mistakes(folder(c.source)); (len(got) == 0) != c.fine {
				t.Errorf("mistakes: %q", got)
			}
		})
	}
	t.Run("rows", func(t *testing.T) {
		t.Parallel()
		var rows []requirement
		for _, id := range []string{"S1", "S3", "C1", "C1", "H1", "J1", "V1", "X1", "K1", "E1", "Q1"} {
			rows = append(rows, requirement{id: id})
		}
		want := []string{"Q1 is of no series", "S2 has 0 rows", "C1 has 2 rows", "M1 has 0 rows"}
		if got := rowGaps(rows); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
	t.Run("the name of a test carries an ID too", func(t *testing.T) {
		t.Parallel()
		row := requirement{"S8", []testLink{{"TestS8Holds", "a/x_test.go"}}}
		if got := row.mistakes(folder(`func TestS8Holds(t *testing.T) {}`)); len(got) != 0 {
			t.Errorf("mistakes: %q", got)
		}
	})
}
