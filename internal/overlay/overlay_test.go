package overlay_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/internal/overlay"
)

func TestCompile(t *testing.T) {
	t.Parallel()
	module, binary := t.TempDir(), filepath.Join(t.TempDir(), "program.exe")
	for name, text := range map[string]string{
		"go.mod":                 "module m\n",
		"internal/word/which.go": "package word\nconst Is = \"seen\"\n",
	} {
		path := filepath.Join(module, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const program = "package main\nimport \"m/internal/word\"\nfunc main() { println(word.Is) }\n"
	if err := overlay.Compile(module, "shown/main.go", program, binary, "go", "build"); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), binary).CombinedOutput(); string(out) != "seen\n" {
		t.Errorf("it prints %q, %v", out, err)
	}
	if _, err := os.Stat(filepath.Join(module, "shown")); err == nil {
		t.Error("the folder is there now")
	}
	err := overlay.Compile(module, "shown/main.go", strings.Replace(program, "word.Is", "word.Was", 1), binary, "go", "build")
	if err == nil || !strings.Contains(err.Error(), "undefined: word.Was") {
		t.Errorf("error %v, want what the compiler says", err)
	}
}
