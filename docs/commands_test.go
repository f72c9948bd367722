package docs_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const docModulePath = "github.com/coatcheck/coatcheck"

// docPrograms are what pages may tell their readers to run, and how such a
// command is checked: its arguments, in a folder of the repository.
var docPrograms = map[string]func(r *docRepo, dir string, args []string) error{
	"make":      (*docRepo).checkMake,
	"go":        (*docRepo).checkGo,
	"docker":    (*docRepo).checkDocker,
	"memcached": (*docRepo).checkMemcached,
	"git":       (*docRepo).checkGit,
}

// checkSpans checks those spans of code that are commands.
func (r *docRepo) checkSpans(p *docPage) (wrong []error) {
	for _, span := range p.spans {
		name, _, more := strings.Cut(docSettings.ReplaceAllString(span, ""), " ")
		if more && docPrograms[name] != nil {
			if err := r.checkScript(span); err != nil {
				wrong = append(wrong, fmt.Errorf("`%s`: %w", span, err))
			}
		}
	}
	return wrong
}

func (r *docRepo) checkShell(_ *docPage, b docBlock) error {
	return r.checkScript(strings.ReplaceAll(b.code, "\\\n", " "))
}

// checkScript checks commands, one a line, that begin in the root of the repository.
func (r *docRepo) checkScript(script string) error {
	dir := "."
	for line := range strings.SplitSeq(script, "\n") {
		words, err := docWords(line)
		if err != nil {
			return fmt.Errorf("%q: %w", line, err)
		}
		for len(words) > 0 && docVariable.MatchString(words[0]) {
			words = words[1:]
		}
		if len(words) == 0 {
			continue
		}
		if words[0] == "cd" && len(words) == 2 {
			if dir, err = r.enter(dir, words[1]); err != nil {
				return err
			}
			continue
		}
		check := docPrograms[words[0]]
		if check == nil {
			return fmt.Errorf("%q: nobody knows how to check %s; quote a script that a test runs, or add it to docPrograms", line, words[0])
		}
		if err := check(r, dir, words[1:]); err != nil {
			return fmt.Errorf("%q: %w", line, err)
		}
	}
	return nil
}

var (
	docVariable = regexp.MustCompile(`^([A-Z][A-Z0-9_]*)=(.*)$`)
	docSettings = regexp.MustCompile(`^([A-Z][A-Z0-9_]*=\S* )*`)
)

// docWords splits a line as a shell does, but knows quotes and comments only.
func docWords(line string) (words []string, err error) {
	var word strings.Builder
	var quote rune
	open := false // a word
	for _, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != '\'' && strings.ContainsRune("$`\\", c), quote == 0 && strings.ContainsRune("|&;<>()", c):
			return nil, fmt.Errorf("%q is for scripts that a test runs", c)
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, open = c, true
		case c == '#' && !open:
			return words, nil
		case c != ' ' && c != '\t':
			word.WriteRune(c)
			open = true
		case open:
			words, open = append(words, word.String()), false
			word.Reset()
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote is not closed")
	}
	if open {
		words = append(words, word.String())
	}
	return words, nil
}

func (r *docRepo) enter(dir, folder string) (string, error) {
	if dir == "." && folder == path.Base(docModulePath) {
		return dir, nil // into what was cloned
	}
	to := path.Join(dir, folder)
	if info, err := os.Stat(filepath.Join(r.root, to)); err != nil || !info.IsDir() {
		return "", fmt.Errorf("cd %s: there is no such folder in %s", folder, dir)
	}
	return to, nil
}

// A docMakefile has for each target its line and its recipe.
type docMakefile map[string]string

func parseDocMakefile(text string) docMakefile {
	targets, last := docMakefile{}, ""
	rule := regexp.MustCompile(`^([a-z][a-z-]*):($|[^=].*)`)
	for line := range strings.SplitSeq(text, "\n") {
		if m := rule.FindStringSubmatch(line); m != nil {
			last = m[1]
			targets[last] += m[2] + "\n"
		} else if strings.HasPrefix(line, "\t") && last != "" {
			targets[last] += line + "\n"
		} else if strings.TrimSpace(line) != "" {
			last = ""
		}
	}
	return targets
}

// recipe returns what a target runs, with what it needs before.
func (m docMakefile) recipe(target string) string {
	needs, _, _ := strings.Cut(m[target], "##")
	text := m[target]
	for need := range strings.FieldsSeq(needs) {
		if _, ok := m[need]; ok && need != target {
			text += m[need]
		}
	}
	return text
}

func (r *docRepo) checkMake(dir string, args []string) error {
	if dir != "." {
		return fmt.Errorf("there is no Makefile in %s", dir)
	}
	recipes, variables := "", []string{}
	for _, arg := range args {
		if m := docVariable.FindStringSubmatch(arg); m != nil {
			variables = append(variables, m[1])
		} else if _, ok := r.make[arg]; ok {
			recipes += r.make.recipe(arg)
		} else {
			return fmt.Errorf("there is no target %s", arg)
		}
	}
	for _, v := range variables {
		if !strings.Contains(recipes, "$("+v+")") {
			return fmt.Errorf("these targets use no %s", v)
		}
	}
	return nil
}

func (r *docRepo) checkGo(dir string, args []string) error {
	if len(args) == 0 {
		return errors.New("go alone does nothing")
	}
	switch args[0] {
	case "doc":
		return r.run(dir, append([]string{"go"}, args...)...)
	case "get":
		return r.checkGet(args[1:])
	case "test", "run", "build", "vet":
		return r.checkPackages(dir, args[0], args[1:])
	case "tool":
		if len(args) > 1 && (slices.Contains([]string{"pprof", "cover"}, args[1]) ||
			regexp.MustCompile(`(?m)^tool \S+/`+regexp.QuoteMeta(args[1])+`$`).MatchString(r.modules[dir])) {
			return nil
		}
		return errors.New("not a tool of this module")
	case "mod":
		if slices.Equal(args[1:], []string{"tidy"}) || len(args) == 3 && args[1] == "init" {
			return nil
		}
	}
	return fmt.Errorf("nobody knows how to check go %s", args[0])
}

func (r *docRepo) run(dir string, command ...string) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = filepath.Join(r.root, dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// checkGet knows this module, and what one of the modules here requires.
func (r *docRepo) checkGet(args []string) error {
	for _, arg := range args {
		name, _, _ := strings.Cut(arg, "@")
		known := func(goMod string) bool { return docImportable(goMod, name) }
		if !strings.Contains(name, ".") || !slices.ContainsFunc(slices.Collect(maps.Values(r.modules)), known) {
			return fmt.Errorf("no module here knows %s", name)
		}
		if rest, ours := strings.CutPrefix(name, docModulePath); ours {
			if _, err := os.Stat(filepath.Join(r.root, rest)); err != nil {
				return fmt.Errorf("there is no package %s", name)
			}
		}
	}
	return nil
}

// docGoFlags are those of go test and the like; true: with a value.
var docGoFlags = map[string]bool{
	"run": true, "bench": true, "fuzz": true, "fuzztime": true, "count": true, "benchtime": true, "cpuprofile": true,
	"memprofile": true, "timeout": true, "shuffle": true, "v": false, "race": false, "short": false, "benchmem": false,
}

// checkPackages wants packages to be there, and in them the tests that are named.
func (r *docRepo) checkPackages(dir, command string, args []string) error {
	folders, patterns := []string{}, map[string]string{}
	for i := 0; i < len(args); i++ {
		flag, value, joined := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if !strings.HasPrefix(args[i], "-") {
			folders = append(folders, args[i])
			if command == "run" {
				break // the rest is the program's
			}
			continue
		}
		takesValue, known := docGoFlags[flag]
		switch {
		case !known || command != "test" && flag != "race":
			return fmt.Errorf("nobody knows -%s", flag)
		case takesValue && !joined && i+1 < len(args):
			i++
			value = args[i]
		}
		patterns[flag] = value
	}
	files, err := r.goFiles(dir, folders)
	if err != nil {
		return err
	}
	for flag, prefix := range map[string]string{"run": "(?:Test|Example|Fuzz)", "bench": "Benchmark", "fuzz": "Fuzz"} {
		if err := docNamed(files, prefix, patterns[flag]); err != nil {
			return fmt.Errorf("-%s %s: %w", flag, patterns[flag], err)
		}
	}
	return nil
}

// goFiles returns the Go files of packages, which are named by path, or as this
// module's.
func (r *docRepo) goFiles(dir string, packages []string) (files []docSource, err error) {
	if len(packages) == 0 {
		packages = []string{"."}
	}
	for _, name := range packages {
		folder := path.Join(dir, name)
		if rest, ours := strings.CutPrefix(name, docModulePath); ours {
			folder = path.Join(".", rest)
		} else if !strings.HasPrefix(name, ".") {
			return nil, fmt.Errorf("%s is neither a path nor a package of ours", name)
		}
		below, all := strings.CutSuffix(folder, "...")
		n := len(files)
		for _, s := range r.sources {
			in := path.Dir(s.name) == folder || all && (below == "" || strings.HasPrefix(s.name, below))
			if in && strings.HasSuffix(s.name, ".go") {
				files = append(files, s)
			}
		}
		if len(files) == n {
			return nil, fmt.Errorf("there is no package %s", name)
		}
	}
	return files, nil
}

// docNamed wants a function whose name a pattern of go test matches. NONE is how
// pages say that no test is meant.
func docNamed(files []docSource, prefix, pattern string) error {
	if pattern == "" || pattern == "." || pattern == "NONE" {
		return nil
	}
	top, _, _ := strings.Cut(pattern, "/")
	want, err := regexp.Compile(top)
	if err != nil {
		return err
	}
	function := regexp.MustCompile(`^func (` + prefix + `\w*)\(`)
	for _, f := range files {
		for _, line := range f.lines {
			if m := function.FindStringSubmatch(line); m != nil && want.MatchString(m[1]) {
				return nil
			}
		}
	}
	return errors.New("nothing is named so")
}

// checkDocker wants the services of docker compose to be ours.
func (r *docRepo) checkDocker(_ string, args []string) error {
	if len(args) < 2 || args[0] != "compose" || !slices.Contains([]string{"up", "down", "logs", "ps", "build", "stop", "restart"}, args[1]) {
		return errors.New("only some commands of docker compose are known")
	}
	compose, err := os.ReadFile(filepath.Join(r.root, "docker-compose.yml"))
	if err != nil {
		return err
	}
	_, services, _ := strings.Cut(string(compose), "\nservices:\n")
	services, _, _ = strings.Cut(services, "\nnetworks:\n")
	for _, arg := range args[2:] {
		switch {
		case slices.Contains([]string{"-d", "--build", "-f", "-v"}, arg):
		case !strings.Contains("\n"+services, "\n  "+arg+":\n"):
			return fmt.Errorf("there is no service %s", arg)
		}
	}
	return nil
}

// checkMemcached asks memcached, where there is one, for the flags that it has.
func (r *docRepo) checkMemcached(_ string, args []string) error {
	if _, err := exec.LookPath("memcached"); err != nil && os.Getenv("COATCHECK_REQUIRE_MEMCACHED") == "" {
		return nil
	}
	help, err := exec.Command("memcached", "-h").CombinedOutput()
	if err != nil {
		return err
	}
	return docFlags(string(help), args)
}

func docFlags(help string, args []string) error {
	for _, arg := range args {
		flag, _, _ := strings.Cut(arg, "=")
		if strings.HasPrefix(arg, "-") && !regexp.MustCompile(`(?m)(^| )`+regexp.QuoteMeta(flag)+`[,=\s]`).MatchString(help) {
			return fmt.Errorf("memcached -h has no %s", flag)
		}
	}
	return nil
}

func (r *docRepo) checkGit(_ string, args []string) error {
	if slices.Equal(args, []string{"clone", "https://" + docModulePath}) || slices.Equal(args, []string{"clone", "https://" + docModulePath + ".git"}) {
		return nil
	}
	return errors.New("only this repository's clone is known")
}
