package docs_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/doc"
	"go/doc/comment"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// An packageDoc is what go doc shows of a package, and what its examples call.
type packageDoc struct {
	types    *types.Package
	doc      *doc.Package
	examples map[string]bool // names of what has an Example of its own
	called   map[string]bool // full names of what the bodies of Examples use
	tests    string          // the source of its tests, without indents
}

// packageDocs reads the pages of documented, by name, once for all tests.
var packageDocs = sync.OnceValues(func() (map[string]*packageDoc, error) {
	compiled, err := compiledImports()
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	importer := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(compiled[path]) })
	all := map[string]*packageDoc{}
	for _, name := range documented {
		p, err := readPackageDoc(fset, importer, name)
		if err != nil {
			return nil, err
		}
		all[name] = p
	}
	return all, nil
})

// compiledImports finds the compiled form of the packages and of all that they and their tests import: to check types
// from source takes many times as long.
func compiledImports() (map[string]string, error) {
	args := []string{"list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}"}
	for _, name := range documented {
		pkg, err := build.ImportDir(filepath.Join("..", name), 0)
		if err != nil {
			return nil, err
		}
		args = append(append(args, modulePath+"/"+name), pkg.XTestImports...)
	}
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		files[path] = file
	}
	return files, nil
}

func readPackageDoc(fset *token.FileSet, importer types.Importer, name string) (*packageDoc, error) {
	dir := filepath.Join("..", name)
	pkg, err := build.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	code, err1 := parseGo(fset, dir, pkg.GoFiles)
	tests, err2 := parseGo(fset, dir, pkg.XTestGoFiles)
	p := &packageDoc{examples: map[string]bool{}, called: map[string]bool{}}
	var err3, err4 error
	p.types, err3 = importer.Import(modulePath + "/" + name)
	p.doc, err4 = doc.NewFromFiles(fset, code, modulePath+"/"+name)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	for _, file := range pkg.XTestGoFiles {
		source, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return nil, err
		}
		p.tests += withoutIndent(string(source)) + "\n"
	}
	p.readExamples(fset, importer, tests)
	return p, nil
}

func parseGo(fset *token.FileSet, dir string, names []string) ([]*ast.File, error) {
	var files []*ast.File
	for _, name := range names {
		f, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func (p *packageDoc) readExamples(fset *token.FileSet, importer types.Importer, files []*ast.File) {
	info := types.Info{Uses: map[*ast.Ident]types.Object{}}
	// Tests use what in-package files export for them, which an importer doesn't see: errors are no reason to stop.
	lenient := types.Config{Importer: importer, Error: func(error) {}}
	_, _ = lenient.Check(p.doc.ImportPath+"_test", fset, files, &info)
	for _, e := range doc.Examples(files...) {
		name, _, _ := strings.Cut(e.Name, "_")
		p.examples[name] = true
		ast.Inspect(e.Code, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				if f, ok := info.Uses[id].(*types.Func); ok {
					p.called[f.Origin().FullName()] = true
				}
			}
			return true
		})
	}
}

// functions returns the exported functions, and the exported methods of exported types.
func (p *packageDoc) functions() []*types.Func {
	var all []*types.Func
	scope := p.types.Scope()
	for _, name := range scope.Names() {
		switch o := scope.Lookup(name).(type) {
		case *types.Func:
			all = append(all, o)
		case *types.TypeName:
			if named, ok := o.Type().(*types.Named); ok && o.Exported() {
				for m := range named.Methods() {
					all = append(all, m)
				}
			}
		}
	}
	return slices.DeleteFunc(all, func(f *types.Func) bool { return !f.Exported() })
}

// forTests reports whether the package is one for tests, by its import of testing.
func (p *packageDoc) forTests() bool {
	return slices.Contains(p.doc.Imports, "testing")
}

// asksFor reports whether a method is one that an interface of this package asks of its type.
func (p *packageDoc) asksFor(f *types.Func) bool {
	for _, name := range p.types.Scope().Names() {
		i, ok := p.types.Scope().Lookup(name).Type().Underlying().(*types.Interface)
		if !ok || !types.Implements(f.Signature().Recv().Type(), i) {
			continue
		}
		for m := range i.Methods() {
			if m.Name() == f.Name() {
				return true
			}
		}
	}
	return false
}

// texts returns every comment that the page shows.
func (p *packageDoc) texts() []string {
	texts := []string{p.doc.Doc}
	values := func(all ...[]*doc.Value) {
		for _, v := range slices.Concat(all...) {
			texts = append(texts, v.Doc)
		}
	}
	funcs := func(all ...[]*doc.Func) {
		for _, f := range slices.Concat(all...) {
			texts = append(texts, f.Doc)
		}
	}
	values(p.doc.Consts, p.doc.Vars)
	funcs(p.doc.Funcs)
	for _, t := range p.doc.Types {
		texts = append(texts, t.Doc)
		values(t.Consts, t.Vars)
		funcs(t.Funcs, t.Methods)
	}
	return texts
}

// unresolved is what a link looks like that leads nowhere: it is printed with its brackets.
var unresolved = regexp.MustCompile(`\[\*?[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\]`)

// deadLinks says which links of the page's comments lead nowhere.
func (p *packageDoc) deadLinks() (mistakes []string) {
	for _, text := range p.texts() {
		for line := range strings.Lines(string(p.doc.Text(text))) {
			if strings.HasPrefix(line, "\t") { // code
				continue
			}
			for _, link := range unresolved.FindAllString(line, -1) {
				mistakes = append(mistakes, link+" is no link")
			}
		}
	}
	return mistakes
}

// code returns the code blocks of the package's own text.
func (p *packageDoc) code() []string {
	var blocks []string
	for _, b := range p.doc.Parser().Parse(p.doc.Doc).Content {
		if c, ok := b.(*comment.Code); ok {
			blocks = append(blocks, c.Text)
		}
	}
	return blocks
}

// isGoCode reports whether a block is Go: declarations or statements.
func isGoCode(block string) bool {
	for _, source := range []string{"package p\n" + block, "package p\nfunc _() {\n" + block + "\n}"} {
		if _, err := parser.ParseFile(token.NewFileSet(), "", source, parser.SkipObjectResolution); err == nil {
			return true
		}
	}
	return false
}

// withoutIndent is a text without the white space before and after its lines.
func withoutIndent(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "\n")
}
