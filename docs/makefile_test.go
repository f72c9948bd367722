package docs_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A makefile has for each target its line and its recipe.
type makefile map[string]string

func parseMakefile(text string) makefile {
	targets, last := makefile{}, ""
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
func (m makefile) recipe(target string) string {
	needs, _, _ := strings.Cut(m[target], "##")
	text := m[target]
	for need := range strings.FieldsSeq(needs) {
		if _, ok := m[need]; ok && need != target {
			text += m[need]
		}
	}
	return text
}

func (r *repo) checkMake(dir string, args []string) error {
	if dir != "." {
		return fmt.Errorf("there is no Makefile in %s", dir)
	}
	recipes, settings := "", map[string]string{}
	for _, arg := range args {
		if m := variable.FindStringSubmatch(arg); m != nil {
			settings[m[1]] = m[2]
		} else if _, ok := r.make[arg]; ok {
			recipes += r.make.recipe(arg)
		} else {
			return fmt.Errorf("there is no target %s", arg)
		}
	}
	for name, value := range settings {
		if !strings.Contains(recipes, "$("+name+")") {
			return fmt.Errorf("these targets use no %s", name)
		}
		if err := r.checkSetting(name, strings.Fields(value)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// checkSetting judges what a variable of make hands on.
func (r *repo) checkSetting(name string, values []string) error {
	switch name {
	case "TESTFLAGS":
		return r.checkPackages(".", "test", append(values, "./..."))
	case "BENCH":
		return oneNamed(r.sources, "Benchmark", strings.Join(values, " "))
	case "ARGS":
		return r.checkOwnFlags(values)
	}
	return nil
}

// checkOwnFlags wants flags to be those of a program of this repository.
func (r *repo) checkOwnFlags(args []string) error {
	for _, arg := range args {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		declares := func(s source) bool {
			return strings.Contains(s.name, "cmd/") && slices.ContainsFunc(s.lines, func(line string) bool { return strings.Contains(line, `"`+name+`"`) })
		}
		if strings.HasPrefix(arg, "-") && name != "h" && !slices.ContainsFunc(r.sources, declares) {
			return fmt.Errorf("no program here has -%s", name)
		}
	}
	return nil
}
