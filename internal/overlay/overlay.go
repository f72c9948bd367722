// Package overlay compiles the Go that pages show, without writing to the
// checkout: for the compiler it is a file of a folder that is not there.
package overlay

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Compile compiles code as a file of a module, such as "shown/main.go", the only
// one of its folder. It sees what the module's packages see. The binary is what
// the command makes of it: go build for a program, go test -c for a test.
func Compile(module, file, code, binary string, command ...string) error {
	dir, err := os.MkdirTemp("", "coatcheck-overlay-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path, err := filepath.Abs(filepath.Join(module, file))
	if err != nil {
		return err
	}
	source, list := filepath.Join(dir, filepath.Base(file)), filepath.Join(dir, "overlay.json")
	text, err := json.Marshal(map[string]map[string]string{"Replace": {path: source}})
	if err != nil {
		return err
	}
	if err := errors.Join(os.WriteFile(source, []byte(code), 0o600), os.WriteFile(list, text, 0o600)); err != nil {
		return err
	}
	cmd := exec.Command(command[0], append(command[1:], "-overlay", list, "-o", binary, "./"+filepath.ToSlash(filepath.Dir(file)))...)
	cmd.Dir = module
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
