package npmtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// CheckLock sees to it that npm accepts nothing but the very bytes that were
// tried, and that no registry's address is written down.
func CheckLock(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var lock struct {
		Packages map[string]struct{ Version, Integrity, Resolved string }
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	delete(lock.Packages, "") // this module itself
	if len(lock.Packages) == 0 {
		return fmt.Errorf("%s: no packages", file)
	}
	var mistakes []error
	for name, p := range lock.Packages {
		if p.Version == "" || !strings.HasPrefix(p.Integrity, "sha512-") || p.Resolved != "" {
			mistakes = append(mistakes, fmt.Errorf("%s: %s: %+v", file, name, p))
		}
	}
	return errors.Join(mistakes...)
}
