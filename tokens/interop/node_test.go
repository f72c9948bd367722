package interop_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/coatcheck/coatcheck/internal/needs"
	"github.com/coatcheck/coatcheck/internal/npmtest"
	"github.com/coatcheck/coatcheck/tokens"
)

// A question is what run.mjs is asked, with the fields that Do needs.
type question struct {
	Do      string          `json:"do"` // "snippet", "verify" or "mint"
	Token   string          `json:"token,omitempty"`
	Secret  string          `json:"secret,omitempty"` // in base64
	Options map[string]any  `json:"options,omitempty"`
	Now     int64           `json:"now,omitempty"`    // in Unix seconds; 0 for the real time
	Header  json.RawMessage `json:"header,omitempty"` // its members in this order
	Claims  map[string]any  `json:"claims,omitempty"`
}

// An answer has an Error or what was asked for.
type answer struct {
	Error  string         `json:"error"` // jose's code for it, and its message
	SID    string         `json:"sid"`
	Token  string         `json:"token"`
	Header map[string]any `json:"header"`
	Claims map[string]any `json:"claims"`
}

func verifyBy(k tokens.Key, typ, token string, now int64) question {
	return question{Do: "verify", Token: token, Now: now, Secret: secretText(k), Options: map[string]any{
		"algorithms": []string{"HS256"}, "issuer": issuer, "audience": audience, "typ": typ,
	}}
}

func mintBy(k tokens.Key, header string, claims map[string]any) question {
	return question{Do: "mint", Secret: secretText(k), Header: json.RawMessage(header), Claims: claims}
}

func secretText(k tokens.Key) string { return base64.StdEncoding.EncodeToString(k.Reveal()) }

// askNode answers all questions, in one process of node.
func askNode(t *testing.T, questions ...question) (answers []answer) {
	t.Helper()
	var in, out, stderr bytes.Buffer
	for _, q := range questions {
		if err := json.NewEncoder(&in).Encode(q); err != nil {
			t.Fatal(err)
		}
	}
	node := needs.Program(t, required, "node")
	cmd := exec.CommandContext(t.Context(), node, "run.mjs")
	cmd.Dir = nodeFolder(t)
	cmd.Env = append(os.Environ(), "COATCHECK_KEYS="+keyList(",", newer, older))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &in, &out, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("node: %v\n%s", err, &stderr)
	}
	for dec := json.NewDecoder(&out); dec.More(); {
		var a answer
		if err := dec.Decode(&a); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	if len(answers) != len(questions) {
		t.Fatalf("node: %d answers to %d questions\n%s", len(answers), len(questions), &stderr)
	}
	return answers
}

// nodeFolder returns a folder of its own, with our scripts and jose.
func nodeFolder(t *testing.T) string {
	t.Helper()
	modules, err := nodeModules()
	if errors.Is(err, exec.ErrNotFound) {
		needs.Missing(t, required, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := copyFiles(dir, "run.mjs", "verify.mjs"); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "node_modules"), os.DirFS(modules)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// nodeModules fails once, not once for each test.
var nodeModules = sync.OnceValues(func() (string, error) { return npmtest.Modules(".") })

func copyFiles(dir string, names ...string) error {
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func TestPackageLock(t *testing.T) {
	t.Parallel()
	if err := npmtest.CheckLock("package-lock.json"); err != nil {
		t.Error(err)
	}
}
