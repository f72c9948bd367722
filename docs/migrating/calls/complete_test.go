package calls_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestComplete: the tables name everything that an application calls or sets of
// the other libraries, as their sources have it.
func TestComplete(t *testing.T) {
	t.Parallel()
	for heading, c := range map[string]struct {
		path    string
		types   []string // whose exported methods and fields count, beside functions
		ignored []string
	}{
		"From scs":              {"github.com/alexedwards/scs/v2", []string{"SessionManager", "SessionCookie"}, []string{"Cookie"}},
		"From gorilla/sessions": {"github.com/gorilla/sessions", []string{"Store", "CookieStore", "FilesystemStore", "Session", "Options", "Registry"}, []string{"Codecs"}},
		"From jwtauth":          {"github.com/go-chi/jwtauth/v5", []string{"JWTAuth"}, nil},
	} {
		t.Run(heading, func(t *testing.T) {
			t.Parallel()
			var left []string
			for _, row := range table(t, heading) {
				left = append(left, row...)
			}
			names := exported(t, c.path, c.types)
			if len(names) < 15 {
				t.Errorf("found only %q", names)
			}
			for _, name := range names {
				word := regexp.MustCompile(`\.` + name + `\b`)
				if !slices.Contains(c.ignored, name) && !slices.ContainsFunc(left, word.MatchString) {
					t.Errorf("the page says nothing of %s", name)
				}
			}
		})
	}
}

// exported returns a package's functions, and the methods and fields of some of
// its types, but for those that are deprecated.
func exported(t *testing.T, path string, types []string) (names []string) {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			names = append(names, namesOf(d, types)...)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return !ast.IsExported(name) })
}

func namesOf(d ast.Decl, types []string) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if !strings.Contains(d.Doc.Text(), "Deprecated:") && (d.Recv == nil || slices.Contains(types, receiver(d))) {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if t, ok := spec.(*ast.TypeSpec); ok && slices.Contains(types, t.Name.Name) {
				names = append(names, members(t.Type)...)
			}
		}
	}
	return names
}

func receiver(f *ast.FuncDecl) string {
	typ := f.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	name, _ := typ.(*ast.Ident)
	return name.String()
}

// members are a struct's fields or an interface's methods.
func members(typ ast.Expr) (names []string) {
	var list *ast.FieldList
	switch typ := typ.(type) {
	case *ast.StructType:
		list = typ.Fields
	case *ast.InterfaceType:
		list = typ.Methods
	default:
		return nil
	}
	for _, f := range list.List {
		for _, name := range f.Names {
			names = append(names, name.Name)
		}
	}
	return names
}
