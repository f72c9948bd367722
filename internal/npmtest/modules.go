// Package npmtest fetches the npm packages that a test needs.
package npmtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Modules returns the folder of what the package-lock.json of a folder names. It
// is in the user's cache, under the hash of that file: nothing is written to the
// checkout, which may be read-only. The packages are fetched when they are not
// there; the error is exec.ErrNotFound if there is no npm.
func Modules(folder string) (string, error) {
	lock, err := os.ReadFile(filepath.Join(folder, "package-lock.json"))
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(lock)
	dir := filepath.Join(cache, "coatcheck", "npm-"+hex.EncodeToString(hash[:8]))
	modules := filepath.Join(dir, "node_modules")
	if _, err := os.Stat(modules); err == nil {
		return modules, nil
	}
	return modules, install(folder, dir)
}

// install makes dir appear at once, so that nobody ever sees half of it.
func install(folder, dir string) error {
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(parent, "fetching-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	if err := fetch(folder, fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, dir); err != nil {
		if _, absent := os.Stat(dir); absent != nil { // not even by another process, which was faster
			return err
		}
	}
	return nil
}

// fetch lets npm fetch the packages, and compare them with their hashes.
func fetch(folder, dir string) error {
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
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
