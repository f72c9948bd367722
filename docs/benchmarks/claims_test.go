package benchmarks_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Claims are what docs/comparison.md says of a library, each shown by running
// it as its documentation does. One fails when it is no longer so.
type claims map[string]func(t *testing.T)

func (c claims) test(t *testing.T) {
	t.Helper()
	t.Parallel()
	for name, claim := range c {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			claim(t)
		})
	}
}

// site answers at paths.
func site(routes map[string]http.HandlerFunc) http.Handler {
	mux := http.NewServeMux()
	for path, h := range routes {
		mux.HandleFunc(path, h)
	}
	return mux
}

// modules are those that are compared, by the names that claims give them.
var modules = map[string]string{
	"coatcheck": "github.com/coatcheck/coatcheck",
	"scs":       "github.com/alexedwards/scs/v2",
	"gorilla":   "github.com/gorilla/sessions",
	"jwtauth":   "github.com/go-chi/jwtauth/v5",
}

// TestModules reads what the modules say of themselves.
func TestModules(t *testing.T) {
	claims{
		"coatcheck: four dependencies": requires("coatcheck", 4),
		"scs: no dependencies":         requires("scs", 0),
		"gorilla: one dependency":      requires("gorilla", 1),
		"jwtauth: two dependencies":    requires("jwtauth", 2),
		"scs: nineteen stores":         tells("scs", "README.md", `Choice of 19 different server-side session stores`, 1),
		"gorilla: twenty stores":       tells("gorilla", "README.md", `(?m)^- \[github\.com/.*\]\(.*\) - `, 20),
		"scs: since 2016":              tells("scs", "LICENSE", `Copyright \(c\) 2016`, 1),
		"gorilla: since 2012":          tells("gorilla", "store.go", `Copyright 2012 `, 1),
		"jwtauth: since 2015":          tells("jwtauth", "LICENSE", `Copyright \(c\) 2015-Present`, 1),
		"scs: how to read a header":    tells("scs", "README.md", `communicating the session token to/from the client in a HTTP header`, 1),
	}.test(t)
}

// TestVersions wants docs/comparison.md to name the versions that are run here.
func TestVersions(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../comparison.md")
	if err != nil {
		t.Fatal(err)
	}
	for library, module := range modules {
		if library == "coatcheck" {
			continue
		}
		version := goList(t, "{{.Version}}", module)
		repository := strings.TrimSuffix(strings.TrimSuffix(module, "/v2"), "/v5")
		if !strings.Contains(string(page), "(https://"+repository+") "+version) {
			t.Errorf("it compares another %s than %s", library, version)
		}
	}
}

// requires wants a module to ask for so many others, besides what those ask for.
func requires(library string, n int) func(*testing.T) {
	return func(t *testing.T) {
		cmd := exec.Command("go", "mod", "edit", "-json", filepath.Join(moduleDir(t, library), "go.mod"))
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var mod struct {
			Require []struct {
				Path     string
				Indirect bool
			}
		}
		if err := json.Unmarshal(out, &mod); err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, r := range mod.Require {
			if !r.Indirect {
				got++
			}
		}
		if got != n {
			t.Errorf("%d: %v", got, mod.Require)
		}
	}
}

// tells wants a pattern at least so often in a module's file.
func tells(library, file, pattern string, atLeast int) func(*testing.T) {
	return func(t *testing.T) {
		text, err := os.ReadFile(filepath.Join(moduleDir(t, library), file))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(regexp.MustCompile(pattern).FindAll(text, -1)); n < atLeast {
			t.Errorf("%d times, want %d", n, atLeast)
		}
	}
}

func moduleDir(t *testing.T, library string) string {
	t.Helper()
	return goList(t, "{{.Dir}}", modules[library])
}

func goList(t *testing.T, format, module string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", format, module).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
