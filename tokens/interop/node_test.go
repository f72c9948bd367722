package interop_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

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
	node := tool(t, "node")
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
		missing(t, err)
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

// nodeModules returns the folder of what package-lock.json names. It is in the
// user's cache, under the hash of that file: nothing is written to the checkout,
// which may be read-only. It fails once, not once for each test.
var nodeModules = sync.OnceValues(func() (string, error) {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(lock)
	dir := filepath.Join(cache, "coatcheck", "interop-"+hex.EncodeToString(hash[:8]))
	modules := filepath.Join(dir, "node_modules")
	if _, err := os.Stat(modules); err == nil {
		return modules, nil
	}
	return modules, install(dir)
})

// install makes the folder appear at once, so that nobody ever sees half of it.
func install(dir string) error {
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(parent, "npm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	if err := npmCI(fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, dir); err != nil {
		if _, absent := os.Stat(dir); absent != nil { // not even by another process, which was faster
			return err
		}
	}
	return nil
}

// npmCI lets npm fetch the packages, and compare them with their hashes.
func npmCI(dir string) error {
	if err := copyFiles(dir, "package.json", "package-lock.json"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retry-mintimeout=1000")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return nil
}

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

// TestPackageLock sees to it that npm accepts nothing but the very bytes that
// were tried, and that no registry's address is written down.
func TestPackageLock(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct{ Version, Integrity, Resolved string }
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		t.Fatal(err)
	}
	delete(lock.Packages, "") // this module itself
	if len(lock.Packages) == 0 {
		t.Error("no packages")
	}
	for name, p := range lock.Packages {
		if p.Version == "" || !strings.HasPrefix(p.Integrity, "sha512-") || p.Resolved != "" {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
