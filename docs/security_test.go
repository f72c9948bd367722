package docs_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
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
	r := openRepo(t)
	folders, err := testFolders(r.sources)
	if err != nil {
		t.Fatal(err)
	}
	rows := requirements(r.pages["docs/security.md"].text)
	for _, mistake := range slices.Concat(gaps(rows), untested(rows, folders), unknownIDs(rows, folders)) {
		t.Error(mistake)
	}
}

// A requirement is a line of the table: ID, what holds, tests, sources.
type requirement struct {
	id    string
	links int // in the cell of tests
	tests []testLink
}

// A testLink is a test's name, and its file's path from the root.
type testLink struct{ name, file string }

var (
	requirementLine = regexp.MustCompile(`(?m)^\| ([A-Z]\d+) \| [^|\n]+ \| ([^|\n]*) \| [^|\n]+ \|$`)
	requirementLink = regexp.MustCompile(`\[(Test\w+)\]\(\.\./([\w./]+_test\.go)\)`)
)

func requirements(text string) (rows []requirement) {
	for _, cells := range requirementLine.FindAllStringSubmatch(text, -1) {
		row := requirement{id: cells[1], links: strings.Count(cells[2], "](")}
		for _, link := range requirementLink.FindAllStringSubmatch(cells[2], -1) {
			row.tests = append(row.tests, testLink{link[1], link[2]})
		}
		rows = append(rows, row)
	}
	return rows
}

// idSeries are the letters of the IDs. Each counts from 1.
const idSeries = "SCHJVXKEM"

func gaps(rows []requirement) (mistakes []string) {
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

// untested says which rows lack a test that carries their ID.
func untested(rows []requirement, folders map[string]testFolder) (mistakes []string) {
	for _, row := range rows {
		if len(row.tests) == 0 || len(row.tests) != row.links {
			mistakes = append(mistakes, fmt.Sprintf("%s: %d links, of which %d lead to tests", row.id, row.links, len(row.tests)))
		}
		for _, test := range row.tests {
			folder := folders[path.Dir(test.file)]
			switch {
			case folder.files[test.name] != path.Base(test.file):
				mistakes = append(mistakes, fmt.Sprintf("%s: %s is not in %s", row.id, test.name, test.file))
			case !folder.tests[test.name][row.id] && !folder.tests[""][row.id]:
				mistakes = append(mistakes, fmt.Sprintf("%s: %s has no subtest that carries it", row.id, test.name))
			}
		}
	}
	return mistakes
}

// unknownIDs says which tests carry an ID that has no row.
func unknownIDs(rows []requirement, folders map[string]testFolder) (mistakes []string) {
	known := map[string]bool{}
	for _, row := range rows {
		known[row.id] = true
	}
	for name, folder := range folders {
		for test, ids := range folder.tests {
			for id := range ids {
				if !known[id] {
					mistakes = append(mistakes, fmt.Sprintf("%s: %s carries %s, which has no row", name, cmp.Or(test, "a table or a helper"), id))
				}
			}
		}
	}
	return mistakes
}

// A testFolder is what the test files of a folder hold.
type testFolder struct {
	files map[string]string          // of tests, by their names
	tests map[string]map[string]bool // IDs that a test's own texts carry; those in tables and helpers, for any test, by ""
}

// testFolders reads the test files of every module.
func testFolders(sources []source) (map[string]testFolder, error) {
	folders := map[string]testFolder{}
	for _, s := range sources {
		if !strings.HasSuffix(s.name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), s.name, strings.Join(s.lines, "\n"), parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		name := path.Dir(s.name)
		if folders[name].files == nil {
			folders[name] = testFolder{map[string]string{}, map[string]map[string]bool{"": {}}}
		}
		folders[name].read(path.Base(s.name), file)
	}
	return folders, nil
}

func (f testFolder) read(base string, file *ast.File) {
	for _, decl := range file.Decls {
		ids := f.tests[""]
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
			ids = leadingIDs(strings.TrimPrefix(fn.Name.Name, "Test"))
			f.files[fn.Name.Name], f.tests[fn.Name.Name] = base, ids
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
				maps.Copy(ids, leadingIDs(text))
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

// leadingIDs returns the IDs that a name begins with: "S8 S17 concurrent
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
	const row = "| S8 | it holds | [TestX](../a/x_test.go) | ours |\n"
	const untold, elsewhere = "S8: TestX has no subtest that carries it", "S8: TestX is not in a/x_test.go"
	for name, c := range map[string]struct{ rows, source, want string }{
		"by a subtest":             {row, `func TestX(t *testing.T) { t.Run("S8 it holds", nil) }`, ""},
		"by a table":               {row, `func TestX(t *testing.T) {}; var rows = map[string]int{"S8 it holds": 1}`, ""},
		"by the test's name":       {strings.ReplaceAll(row, "TestX", "TestS8Holds"), `func TestS8Holds(t *testing.T) {}`, ""},
		"by another test's name":   {row, `func TestX(t *testing.T) {}; func TestS8Holds(t *testing.T) {}`, untold},
		"by another test":          {row, `func TestX(t *testing.T) {}; func TestY(t *testing.T) { t.Run("S8 it holds", nil) }`, untold},
		"later in the text":        {row, `func TestX(t *testing.T) { t.Run("it holds S8", nil) }`, untold},
		"in a message":             {row, `func TestX(t *testing.T) { t.Errorf("S8 it does not hold") }`, untold},
		"by a test that isn't":     {row, `func TestZ(t *testing.T) { t.Run("S8 it holds", nil) }`, elsewhere},
		"by a test in no folder":   {strings.ReplaceAll(row, "a/", "b/"), `func TestX(t *testing.T) {}`, "S8: TestX is not in b/x_test.go"},
		"by no test":               {"| S8 | it holds | none | ours |\n", "", "S8: 0 links, of which 0 lead to tests"},
		"by a link to a page":      {"| S8 | it holds | [TestX](../a/x_test.go), [more](x.md) | ours |\n", `func TestX(t *testing.T) { t.Run("S8", nil) }`, "S8: 2 links, of which 1 lead to tests"},
		"an ID that has no row":    {row, `func TestX(t *testing.T) { t.Run("M13 S8 it holds", nil) }`, "a: TestX carries M13, which has no row"},
		"an ID that is longer":     {row, `func TestX(t *testing.T) { t.Run("S8", nil); t.Run("S81", nil) }`, "a: TestX carries S81, which has no row"},
		"a table's, without a row": {row, `func TestX(t *testing.T) { t.Run("S8", nil) }; var x = "S9 more"`, "a: a table or a helper carries S9, which has no row"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows := requirements(c.rows)
			folders, err := testFolders([]source{{"a/x.go", nil}, {"a/x_test.go", []string{"package x_test", c.source}}})
			if err != nil || len(rows) != 1 {
				t.Fatal(rows, err)
			}
			if got := strings.Join(append(untested(rows, folders), unknownIDs(rows, folders)...), "\n"); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
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
		if got := gaps(rows); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
