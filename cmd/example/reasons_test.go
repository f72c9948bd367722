package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	example "github.com/coatcheck/coatcheck/cmd/example"
)

// TestReasons holds together what events can say: what the code has, what
// session.Event's doc and docs/monitoring.md list, and what is counted here.
func TestReasons(t *testing.T) {
	t.Parallel()
	fixed := make(map[string]bool)
	for _, dir := range []string{"session", "session/memory", "session/memcached", "chimw"} {
		maps.Copy(fixed, reasonsOf(t, filepath.Join(root, dir)))
	}
	if len(fixed) < 20 {
		t.Fatalf("found only %v", fixed)
	}
	source, err := os.ReadFile(filepath.Join(root, "session", "event.go"))
	if err != nil {
		t.Fatal(err)
	}
	_, doc, _ := strings.Cut(string(source), "// Reason is one of these texts")
	doc, _, _ = strings.Cut(doc, "\ntype Event struct")
	listed := make(map[string]bool)
	for _, text := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(doc, -1) {
		listed[text[1]] = true
	}
	if !maps.Equal(listed, fixed) {
		t.Errorf("session.Event's doc lists %q, the code has %q", sorted(listed), sorted(fixed))
	}

	counted := make(map[string]bool)
	for _, reasons := range example.Reasons {
		for _, reason := range reasons {
			counted[reason] = true
		}
	}
	text := page(t, "docs/monitoring.md")
	for reason := range counted {
		if reason != "" && rowOf(text, reason) == "" {
			t.Errorf("docs/monitoring.md has no row of %q", reason)
		}
	}
	maps.DeleteFunc(counted, func(reason string, _ bool) bool {
		return reason == "" || strings.HasPrefix(reason, "token ") // ours: of "token"
	})
	if !maps.Equal(counted, fixed) {
		t.Errorf("the example counts %q, the code has %q", sorted(counted), sorted(fixed))
	}
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

// reasonsOf returns the texts of a package's constants that are called reason….
// It fails the test if an event can have another reason: one is set by such a
// constant, or by a parameter called reason that is given one.
func reasonsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	r := &reasonReader{t: t, set: token.NewFileSet(), constants: make(map[string]string), takers: make(map[string]int)}
	var parsed []*ast.File
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(r.set, file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
		ast.Inspect(f, r.collect)
	}
	for _, f := range parsed {
		ast.Inspect(f, r.check)
	}
	texts := make(map[string]bool)
	for _, text := range r.constants {
		texts[text] = true
	}
	return texts
}

type reasonReader struct {
	t         *testing.T
	set       *token.FileSet
	constants map[string]string // by name
	takers    map[string]int    // functions with a parameter called reason, and where it stands
}

func (r *reasonReader) collect(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ValueSpec:
		for i, name := range n.Names {
			if strings.HasPrefix(name.Name, "reason") && i < len(n.Values) {
				if text, ok := n.Values[i].(*ast.BasicLit); ok {
					r.constants[name.Name], _ = strconv.Unquote(text.Value)
				}
			}
		}
	case *ast.FuncDecl:
		at := 0
		for _, field := range n.Type.Params.List {
			for _, name := range field.Names {
				if name.Name == "reason" {
					r.takers[n.Name.Name] = at
				}
				at++
			}
		}
	}
	return true
}

func (r *reasonReader) check(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CompositeLit:
		if !strings.HasSuffix(nameOf(n.Type), "Event") {
			return true
		}
		for _, element := range n.Elts {
			pair, ok := element.(*ast.KeyValueExpr)
			if !ok {
				r.fail(element, "an event without field names")
			} else if nameOf(pair.Key) == "Reason" && nameOf(pair.Value) != "reason" {
				r.want(pair.Value)
			}
		}
	case *ast.CallExpr:
		if at, ok := r.takers[nameOf(n.Fun)]; ok && at < len(n.Args) && nameOf(n.Args[at]) != "reason" {
			r.want(n.Args[at])
		}
	case *ast.AssignStmt:
		for _, left := range n.Lhs {
			if field, ok := left.(*ast.SelectorExpr); ok && field.Sel.Name == "Reason" {
				r.fail(n, "a reason that is set later")
			}
		}
	}
	return true
}

// want checks that an expression is one of the constants.
func (r *reasonReader) want(e ast.Expr) {
	if _, ok := r.constants[nameOf(e)]; !ok {
		r.fail(e, "a reason that is none of the constants")
	}
}

func (r *reasonReader) fail(n ast.Node, what string) {
	r.t.Errorf("%s: %s", r.set.Position(n.Pos()), what)
}

// nameOf is the last part of a name, or "".
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	default:
		return ""
	}
}
