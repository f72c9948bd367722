package docs_test

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/coatcheck/coatcheck/internal/overlay"
)

// checkers are the languages of blocks of code, and how each is checked: nil if
// the blocks are those that unchecked lists. What is quoted from a file of the
// repository is fine in each of them, as those are compiled, run or read elsewhere.
var checkers = map[string]func(*repo, *page, block) error{
	"go":      (*repo).checkProgram,
	"sh":      (*repo).checkShell,
	"console": (*repo).checkSession,
	"text":    nil,
	"yaml":    nil,
	"nginx":   nil,
	"js":      (*repo).checkQuoted,
	"sql":     (*repo).checkQuoted,
}

// unchecked are blocks that nothing can check, by page and language: how many
// there are, and why.
var unchecked = map[string]struct {
	blocks int
	why    string
}{
	"docs/architecture.md text": {1, "a picture of folders"},
	"docs/benchmarks.md text":   {1, "written by a program, whose test compares it"},
	"docs/operations.md text":   {1, "a formula, whose numbers TestSizes measures"},
	"docs/stores.md text":       {1, "what the suite says of a store with a bug, which TestDocsOutput compares"},
	"docs/tokens.md text":       {1, "a token's header and claims"},
	"docs/tokens.md yaml":       {2, "for Envoy and Kong; the page says that they were not run"},
	"docs/tokens.md nginx":      {1, "for nginx's commercial version; the page says that it was not run"},
}

// replayed are tests that type a page's sessions and compare the answers.
var replayed = map[string]struct{ file, test string }{
	"README.md": {"cmd/example/readme_test.go", "TestReadme"},
}

// checkBlocks says what is wrong with a page's blocks of code.
func (r *repo) checkBlocks(p *page) (wrong []error) {
	free := map[string]int{} // blocks that nothing checks, by language
	for _, b := range p.blocks {
		check, known := checkers[b.language]
		switch {
		case !known:
			wrong = append(wrong, fmt.Errorf("line %d: nobody knows how to check %q: see checkers", b.line, b.language))
		case b.language != "text" && r.checkQuoted(p, b) == nil:
		case check == nil:
			free[b.language]++
		default:
			if err := check(r, p, b); err != nil {
				wrong = append(wrong, fmt.Errorf("line %d: %w", b.line, err))
			}
		}
	}
	for language := range checkers {
		if want := unchecked[p.name+" "+language].blocks; free[language] != want {
			wrong = append(wrong, fmt.Errorf("nothing checks %d blocks in %s, of which unchecked lists %d", free[language], language, want))
		}
	}
	return wrong
}

// quotedFrom are those of the files that blocks in a language may be quoted
// from, where they are not the language's name.
var quotedFrom = map[string][]string{
	"js":   {".js", ".mjs"},
	"yaml": {".yml", ".yaml"},
	"sql":  {".sql", ".go"},
}

// checkQuoted wants a block to stand in a file, as it is but for how far all of
// it is indented; imports may be left out. SQL may be a string in a Go file, and
// each of its lines indented as it likes.
func (r *repo) checkQuoted(_ *page, b block) error {
	extensions := quotedFrom[b.language]
	if extensions == nil {
		extensions = []string{"." + b.language}
	}
	if strings.TrimSpace(b.code) == "" {
		return errors.New("an empty block")
	}
	want := dedent(strings.Split(strings.TrimRight(b.code, "\n"), "\n"))
	for _, s := range r.sources {
		switch lines := s.lines; {
		case path.Dir(s.name) == "docs": // whose tests plant mistakes
		case !slices.Contains(extensions, path.Ext(s.name)):
		case b.language == "sql" && holds(statements(lines), statements(want)):
			return nil
		case b.language != "sql" && (holds(lines, want) || holds(withoutImports(lines), want)):
			return nil
		}
	}
	return fmt.Errorf("no %s file has these lines", strings.Join(extensions, " or "))
}

// statements returns lines without indentation, those of Go also divided
// where a raw string begins and ends.
func statements(lines []string) (trimmed []string) {
	for _, line := range lines {
		for part := range strings.SplitSeq(line, "`") {
			trimmed = append(trimmed, strings.TrimSpace(part))
		}
	}
	return trimmed
}

func holds(lines, want []string) bool {
	first := strings.TrimSpace(want[0])
	for i := range len(lines) - len(want) + 1 {
		if strings.TrimSpace(lines[i]) == first && slices.Equal(dedent(lines[i:i+len(want)]), want) {
			return true
		}
	}
	return false
}

// dedent returns lines without the white space that all of them begin with.
func dedent(lines []string) []string {
	indent, found := "", false
	for _, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		own := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if !found {
			indent, found = own, true
		}
		for !strings.HasPrefix(own, indent) {
			indent = indent[:len(indent)-1]
		}
	}
	dedented := make([]string, len(lines))
	for i, line := range lines {
		dedented[i] = strings.TrimRight(strings.TrimPrefix(line, indent), " \t")
	}
	return dedented
}

func withoutImports(lines []string) []string {
	start := slices.Index(lines, "import (")
	if start < 0 {
		return lines
	}
	end := start + slices.Index(lines[start:], ")")
	return slices.Concat(lines[:start], lines[min(end+2, len(lines)):])
}

// checkProgram compiles a complete program, or a complete test, as a
// package of the first module that has what it imports.
func (r *repo) checkProgram(p *page, b block) error {
	file, err := parser.ParseFile(token.NewFileSet(), "", b.code, parser.ImportsOnly)
	if err != nil {
		return fmt.Errorf("neither quoted from a .go file nor a complete program: %w", err)
	}
	var imports []string
	for _, i := range file.Imports {
		name, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return err
		}
		imports = append(imports, name)
	}
	module, err := r.moduleWith(imports)
	if err != nil {
		return err
	}
	name, command := "main.go", []string{"go", "build", "-buildvcs=false"}
	if slices.Contains(imports, "testing") {
		name, command = "main_test.go", []string{"go", "test", "-c"}
	}
	return r.compile(module, fmt.Sprintf("page%d", b.line), name, b.code, command)
}

// moduleWith returns the folder of the module whose packages may import all of these.
func (r *repo) moduleWith(imports []string) (string, error) {
	folders := make([]string, 0, len(r.modules))
	for folder := range r.modules {
		folders = append(folders, folder)
	}
	slices.Sort(folders) // "." is the first
	for _, folder := range folders {
		missing := slices.ContainsFunc(imports, func(name string) bool { return !importable(r.modules[folder], name) })
		if !missing {
			return folder, nil
		}
	}
	return "", fmt.Errorf("no module has all of %s", strings.Join(imports, ", "))
}

var required = regexp.MustCompile(`(?m)^(?:module|require)? *\t?([a-z0-9.-]+\.[a-z]+/\S+)(?: v\S+(?: // indirect)?)?$`)

// importable reports whether a name is of the standard library, of the module
// with this go.mod, or of one that it requires.
func importable(goMod, name string) bool {
	if first, _, _ := strings.Cut(name, "/"); !strings.Contains(first, ".") {
		return true
	}
	for _, m := range required.FindAllStringSubmatch(goMod, -1) {
		if name == m[1] || strings.HasPrefix(name, m[1]+"/") {
			return true
		}
	}
	return false
}

// compile has the compiler take a file for one of a folder that is not there.
func (r *repo) compile(module, folder, name, code string, command []string) error {
	dir, err := os.MkdirTemp("", "coatcheck-docs-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "program")
	if err := overlay.Compile(filepath.Join(r.root, module), path.Join(folder, name), code, binary, command...); err != nil {
		return fmt.Errorf("it does not compile: %w", err)
	}
	return nil
}

// checkSession wants a test that types the page's sessions.
func (r *repo) checkSession(p *page, _ block) error {
	by, ok := replayed[p.name]
	if !ok {
		return errors.New("no test of replayed types this session")
	}
	return r.checkReads(by.file, by.test, p.name)
}

// checkReads wants a test to name a page.
func (r *repo) checkReads(file, test, name string) error {
	i := slices.IndexFunc(r.sources, func(s source) bool { return s.name == file })
	if i < 0 {
		return fmt.Errorf("there is no %s", file)
	}
	_, body, _ := strings.Cut(strings.Join(r.sources[i].lines, "\n"), "\nfunc "+test+"(t *testing.T) {\n")
	body, _, _ = strings.Cut(body, "\n}\n")
	if !strings.Contains(body, strconv.Quote(name)) {
		return fmt.Errorf("%s has no %s that reads this page", file, test)
	}
	return nil
}
