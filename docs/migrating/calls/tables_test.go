package calls_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/internal/textfile"
)

const page = "../../migrating.md"

// TestTables compares the page's tables with the files here, both ways: each row
// is a function, whose statements are the row's code. In the table of the Flask
// example only the right column is Go.
func TestTables(t *testing.T) {
	t.Parallel()
	for heading, file := range map[string]string{
		"From scs":               "scs_test.go",
		"From gorilla/sessions":  "gorilla_test.go",
		"From jwtauth":           "jwtauth_test.go",
		"From the Flask example": "flask_test.go",
	} {
		t.Run(heading, func(t *testing.T) {
			t.Parallel()
			shown, compiled := table(t, heading), functions(t, file)
			if len(shown) < 8 {
				t.Fatalf("found %d rows", len(shown))
			}
			for _, row := range shown {
				if !slices.ContainsFunc(compiled, func(f function) bool { return holds(f.code, row) }) {
					t.Errorf("no function of %s has all of %q", file, row)
				}
			}
			for _, f := range compiled {
				if !slices.ContainsFunc(shown, func(row []string) bool { return holds(row, f.statements) }) {
					t.Errorf("no row of the page has all of %q", f.statements)
				}
			}
		})
	}
}

func holds(all, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

var span = regexp.MustCompile("`([^`]+)`")

// table returns the code of each row of the table below a heading.
func table(t *testing.T, heading string) (rows [][]string) {
	t.Helper()
	_, section, found := strings.Cut(textfile.Read(t, page), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("the page has no %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.SplitSeq(section, "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| there |") {
			continue
		}
		if strings.Contains(heading, "Flask") {
			line = line[strings.LastIndex(strings.TrimSuffix(line, "|"), "|"):]
		}
		var row []string
		for _, m := range span.FindAllStringSubmatch(line, -1) {
			row = append(row, m[1])
		}
		rows = append(rows, row)
	}
	return rows
}

// function is one of this package's without a name.
type function struct {
	statements []string // but for what an expression is assigned to, to compile
	code       []string // every piece of it that is an expression or a statement
}

func functions(t *testing.T, file string) (all []function) {
	t.Helper()
	text, fset := textfile.Read(t, file), token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	source := func(n ast.Node) string { return text[fset.Position(n.Pos()).Offset:fset.Position(n.End()).Offset] }
	for _, d := range parsed.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name != "_" {
			continue
		}
		var found function
		for _, statement := range f.Body.List {
			found.statements = append(found.statements, strings.TrimLeft(source(statement), "_,= "))
		}
		ast.Inspect(f.Body, func(n ast.Node) bool {
			if n != nil {
				found.code = append(found.code, source(n))
			}
			return true
		})
		all = append(all, found)
	}
	return all
}
