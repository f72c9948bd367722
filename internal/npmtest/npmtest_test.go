package npmtest_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/internal/npmtest"
)

// fakeNPM notes that it was called, where the test can see it, and "fetches" what
// package.json holds.
const fakeNPM = `#!/bin/sh
echo called >>"$NPM_CALLS"
mkdir node_modules
/bin/cp package.json package-lock.json node_modules/
exit $NPM_STATUS
`

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestModules(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("npm is a shell script here")
	}
	home, bin, calls := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "calls")
	for name, value := range map[string]string{"HOME": home, "XDG_CACHE_HOME": home, "NPM_CALLS": calls, "NPM_STATUS": "0"} {
		t.Setenv(name, value)
	}
	folder := t.TempDir()
	write(t, folder, "package.json", "{}")
	write(t, folder, "package-lock.json", "one")

	t.Run("without npm", func(t *testing.T) {
		t.Setenv("PATH", bin)
		if _, err := npmtest.Modules(folder); !errors.Is(err, exec.ErrNotFound) {
			t.Errorf("error %v, want %v", err, exec.ErrNotFound)
		}
	})
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	write(t, bin, "npm", fakeNPM)
	t.Run("when npm fails nothing is left", func(t *testing.T) {
		t.Setenv("NPM_STATUS", "1")
		modules, err := npmtest.Modules(folder)
		left, _ := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(modules)), "*"))
		if err == nil || len(left) != 0 {
			t.Errorf("error %v, and %q are left", err, left)
		}
	})
	t.Run("they are fetched once for each lock", func(t *testing.T) {
		_ = os.Remove(calls)
		for _, lock := range []string{"one", "two", "one", "two"} {
			write(t, folder, "package-lock.json", lock)
			modules, err := npmtest.Modules(folder)
			if err != nil {
				t.Fatal(err)
			}
			if text, err := os.ReadFile(filepath.Join(modules, "package-lock.json")); string(text) != lock {
				t.Errorf("%q, %v; want what belongs to %q", text, err, lock)
			}
		}
		if text, err := os.ReadFile(calls); strings.Count(string(text), "called") != 2 {
			t.Errorf("npm was called %q, %v; want twice", text, err)
		}
	})
}

func TestCheckLock(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		packages string
		ok       bool
	}{
		"pinned":               {`"": {}, "a": {"version": "1.0.0", "integrity": "sha512-x"}`, true},
		"no packages":          {`"": {}`, false},
		"without a hash":       {`"a": {"version": "1.0.0"}`, false},
		"a weak hash":          {`"a": {"version": "1.0.0", "integrity": "sha1-x"}`, false},
		"without a version":    {`"a": {"integrity": "sha512-x"}`, false},
		"a registry's address": {`"a": {"version": "1.0.0", "integrity": "sha512-x", "resolved": "https://registry.example/a"}`, false},
		"one of two":           {`"a": {"version": "1.0.0", "integrity": "sha512-x"}, "b": {"version": "1.0.0"}`, false},
		"no JSON":              {`}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := write(t, t.TempDir(), "package-lock.json", `{"packages": {`+tt.packages+`}}`)
			if err := npmtest.CheckLock(file); (err == nil) != tt.ok {
				t.Errorf("error %v", err)
			}
		})
	}
}
