package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const module = "github.com/coatcheck/coatcheck"

// output runs a command, and returns what it prints, without the last newline.
func output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // git and go, by our own arguments
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, stderr.String(), out)
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

func buildHead(ctx context.Context, temp string) (string, error) {
	binary := filepath.Join(temp, "head.test")
	_, err := output(ctx, "go", "test", "-c", "-o", binary, ".")
	return binary, err
}

// A version is another version's code under the benchmarks of today.
type version struct {
	name   string
	binary string
	tree   string
}

// buildBase returns nil, and says why, if there is nothing to compare with.
func (o options) buildBase(ctx context.Context, temp string) (*version, error) {
	ref := o.base
	if ref == "-" {
		return nil, nil
	}
	if ref == "" {
		tag, err := output(ctx, "git", "describe", "--tags", "--abbrev=0")
		if err != nil {
			fmt.Println("There is no tag yet: no comparison with another version.")
			return nil, nil //nolint:nilerr // as said
		}
		ref = tag
	}
	v := &version{name: ref, binary: filepath.Join(temp, "base.test"), tree: filepath.Join(temp, "base")}
	if _, err := output(ctx, "git", "worktree", "add", "--detach", v.tree, ref); err != nil {
		return nil, err
	}
	if err := v.build(ctx, temp); err != nil {
		v.remove()
		fmt.Printf("Today's benchmarks don't fit the code of %s, so there is no comparison with it:\n%v\n", ref, err)
		return nil, nil
	}
	return v, nil
}

// build compiles the benchmarks of today with that version in place of ours.
func (v *version) build(ctx context.Context, temp string) error {
	mod, sum := filepath.Join(temp, "base.mod"), filepath.Join(temp, "base.sum")
	for from, to := range map[string]string{"go.mod": mod, "go.sum": sum} {
		b, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(to, b, 0o600); err != nil { //nolint:gosec // a folder of this run
			return err
		}
	}
	if _, err := output(ctx, "go", "mod", "edit", "-replace", module+"="+v.tree, mod); err != nil {
		return err
	}
	_, err := output(ctx, "go", "test", "-c", "-mod=mod", "-modfile="+mod, "-o", v.binary, ".")
	return err
}

// remove takes the worktree away, interrupted or not.
func (v *version) remove() {
	if v != nil {
		_, _ = output(context.Background(), "git", "worktree", "remove", "--force", v.tree)
	}
}
