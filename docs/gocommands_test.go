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

func (r *repo) checkGo(dir string, args []string) error {
	if len(args) == 0 {
		return errors.New("go alone does nothing")
	}
	switch args[0] {
	case "doc":
		return r.run(dir, append([]string{"go"}, args...)...)
	case "get":
		return r.checkGet(args[1:])
	case "test", "run":
		return r.checkPackages(dir, args[0], args[1:])
	case "tool":
		if len(args) > 1 && (slices.Contains([]string{"pprof", "cover"}, args[1]) ||
			regexp.MustCompile(`(?m)^tool \S+/`+regexp.QuoteMeta(args[1])+`$`).MatchString(r.modules[dir])) {
			return nil
		}
		return errors.New("not a tool of this module")
	case "mod":
		switch {
		case slices.Equal(args[1:], []string{"tidy"}):
			return nil
		case len(args) == 4 && args[1] == "edit" && args[2] == "-replace":
			name, _, _ := strings.Cut(args[3], "=")
			return r.checkGet([]string{name})
		}
	}
	return fmt.Errorf("nobody knows how to check go %s", args[0])
}

func (r *repo) run(dir string, command ...string) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = filepath.Join(r.root, dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// checkGet knows this module, and what one of the modules here requires.
func (r *repo) checkGet(args []string) error {
	for _, arg := range args {
		name, _, _ := strings.Cut(arg, "@")
		known := func(goMod string) bool { return importable(goMod, name) }
		if !strings.Contains(name, ".") || !slices.ContainsFunc(slices.Collect(maps.Values(r.modules)), known) {
			return fmt.Errorf("no module here knows %s", name)
		}
		if rest, ours := strings.CutPrefix(name, modulePath); ours {
			if _, err := os.Stat(filepath.Join(r.root, rest)); err != nil {
				return fmt.Errorf("there is no package %s", name)
			}
		}
	}
	return nil
}

// goFlags are those of go test and the like; true: with a value.
var goFlags = map[string]bool{
	"run": true, "bench": true, "fuzz": true, "fuzztime": true, "count": true, "benchtime": true, "cpuprofile": true,
	"memprofile": true, "timeout": true, "shuffle": true, "v": false, "race": false, "short": false, "benchmem": false,
}

// checkPackages wants packages to be there, and in them the tests that are named.
func (r *repo) checkPackages(dir, command string, args []string) error {
	folders, patterns := []string{}, map[string]string{}
	for i := 0; i < len(args); i++ {
		flag, value, joined := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if !strings.HasPrefix(args[i], "-") {
			folders = append(folders, args[i])
			if command == "run" {
				if err := r.checkOwnFlags(args[i+1:]); err != nil {
					return err
				}
				break // the rest is the program's
			}
			continue
		}
		takesValue, known := goFlags[flag]
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
		if err := oneNamed(files, prefix, patterns[flag]); err != nil {
			return fmt.Errorf("-%s %s: %w", flag, patterns[flag], err)
		}
	}
	return nil
}

// goFiles returns the Go files of packages, which are named by path, or as this
// module's.
func (r *repo) goFiles(dir string, packages []string) (files []source, err error) {
	if len(packages) == 0 {
		packages = []string{"."}
	}
	for _, name := range packages {
		folder := path.Join(dir, name)
		if rest, ours := strings.CutPrefix(name, modulePath); ours {
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

// oneNamed wants a function whose name a pattern of go test matches. NONE is how
// pages say that no test is meant.
func oneNamed(files []source, prefix, pattern string) error {
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
