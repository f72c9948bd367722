package docs_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// programs are what pages may tell their readers to run, and how such a
// command is checked: its arguments, in a folder of the repository.
var programs = map[string]func(r *repo, dir string, args []string) error{
	"make":      (*repo).checkMake,
	"go":        (*repo).checkGo,
	"docker":    (*repo).checkDocker,
	"memcached": (*repo).checkMemcached,
}

// tools are what else a span of code may be a command of, which some script
// or session must have then.
var tools = strings.Fields(`apk apt apt-get bash brew cat chmod cp curl dnf echo export http https kill kubectl mv nc
	npm npx openssl pip pip3 printf python python3 rm scp sh ssh sudo systemctl telnet wget`)

// checkSpans checks those spans of code that are commands.
func (r *repo) checkSpans(p *page) (wrong []error) {
	for _, span := range p.spans {
		name, _, more := strings.Cut(settingsBefore.ReplaceAllString(span, ""), " ")
		var err error
		switch {
		case ownScript.MatchString(name):
			_, err = os.Stat(filepath.Join(r.root, strings.TrimSuffix(name, "...")))
		case more && programs[name] != nil:
			err = r.checkScript(span)
		case more && slices.Contains(tools, name) && !r.runs(p, span):
			err = errors.New("no script has it, nor a session of this page")
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("`%s`: %w", span, err))
		}
	}
	return wrong
}

// ownScript is a path such as ./run or .ci/run, of which the first word of a command is one.
var ownScript = regexp.MustCompile(`^\.[\w.-]*/\S`)

// runs reports whether a command is in a script of the repository, or in a
// session that the page shows.
func (r *repo) runs(p *page, command string) bool {
	has := func(line string) bool { return strings.Contains(line, command) }
	inScript := func(s source) bool { return strings.HasSuffix(s.name, ".sh") && slices.ContainsFunc(s.lines, has) }
	inSession := func(b block) bool { return b.language == "console" && has(b.code) }
	return slices.ContainsFunc(r.sources, inScript) || slices.ContainsFunc(p.blocks, inSession)
}

func (r *repo) checkShell(_ *page, b block) error {
	return r.checkScript(strings.ReplaceAll(b.code, "\\\n", " "))
}

// checkScript checks commands, one a line, that begin in the root of the repository.
func (r *repo) checkScript(script string) error {
	dir := "."
	for line := range strings.SplitSeq(script, "\n") {
		words, err := splitWords(line)
		if err != nil {
			return fmt.Errorf("%q: %w", line, err)
		}
		for len(words) > 0 && variable.MatchString(words[0]) {
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
		check := programs[words[0]]
		if check == nil {
			return fmt.Errorf("%q: nobody knows how to check %s; quote a script that a test runs, or add it to programs", line, words[0])
		}
		if err := check(r, dir, words[1:]); err != nil {
			return fmt.Errorf("%q: %w", line, err)
		}
	}
	return nil
}

var (
	variable       = regexp.MustCompile(`^([A-Z][A-Z0-9_]*)=(.*)$`)
	settingsBefore = regexp.MustCompile(`^([A-Z][A-Z0-9_]*=\S* )*`)
)

// splitWords splits a line as a shell does, but knows quotes and comments only.
func splitWords(line string) (words []string, err error) {
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

func (r *repo) enter(dir, folder string) (string, error) {
	to := path.Join(dir, folder)
	if info, err := os.Stat(filepath.Join(r.root, to)); err != nil || !info.IsDir() {
		return "", fmt.Errorf("cd %s: there is no such folder in %s", folder, dir)
	}
	return to, nil
}

// checkDocker wants the services of docker compose to be ours.
func (r *repo) checkDocker(_ string, args []string) error {
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
func (r *repo) checkMemcached(_ string, args []string) error {
	if _, err := exec.LookPath("memcached"); err != nil && os.Getenv("COATCHECK_REQUIRE_MEMCACHED") == "" {
		return nil
	}
	help, err := exec.Command("memcached", "-h").CombinedOutput()
	if err != nil {
		return err
	}
	return memcachedFlags(string(help), args)
}

func memcachedFlags(help string, args []string) error {
	for _, arg := range args {
		flag, _, _ := strings.Cut(arg, "=")
		if strings.HasPrefix(arg, "-") && !regexp.MustCompile(`(?m)(^| )`+regexp.QuoteMeta(flag)+`[,=\s]`).MatchString(help) {
			return fmt.Errorf("memcached -h has no %s", flag)
		}
	}
	return nil
}
