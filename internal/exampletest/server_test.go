package exampletest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/internal/exampletest"
)

// fake has this test binary run in place of the example.
const fake = "COATCHECK_TEST_FAKE"

func TestMain(m *testing.M) {
	if os.Getenv(fake) == "" {
		os.Exit(m.Run())
	}
	fmt.Fprintf(os.Stderr, "level=INFO msg=started flags=%q stray=%q\n", os.Args[1:], os.Getenv("COATCHECK_STRAY"))
	fmt.Fprintln(os.Stderr, "level=INFO msg=listening url=http://127.0.0.1:1234")
	select {}
}

func TestStart(t *testing.T) {
	t.Setenv("COATCHECK_STRAY", "a developer's own")
	server := exampletest.Start(t, os.Args[0], []string{fake + "=1"}, "-idle", "30m")
	if server.URL != "http://127.0.0.1:1234" {
		t.Errorf("URL %q", server.URL)
	}
	line := server.Log.Await(t, "started")
	if !strings.Contains(line, `["-addr" "127.0.0.1:0" "-idle" "30m"]`) || !strings.Contains(line, `stray=""`) {
		t.Errorf("it was started so: %s", line)
	}
}

func TestBuild(t *testing.T) {
	t.Parallel()
	source := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module m\n", "main.go": "package main\nfunc main() { println(\"built\") }\n"} {
		if err := os.WriteFile(filepath.Join(source, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	binary, err := exampletest.Build(source, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), binary).CombinedOutput(); string(out) != "built\n" {
		t.Errorf("it prints %q, %v", out, err)
	}
	if _, err := exampletest.Build(t.TempDir(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "go.mod") {
		t.Errorf("error %v, want what the compiler says", err)
	}
}
