package interop_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/internal/textfile"
)

const docs = "../../docs"

// TestDocs compares what docs/tokens.md shows with the files that are run here:
// each is shown, and nothing else in those languages is.
func TestDocs(t *testing.T) {
	t.Parallel()
	text := textfile.Read(t, filepath.Join(docs, "tokens.md"))
	for language, files := range map[string][]string{
		"go": {"setup_test.go", "golangjwt_test.go", "jwx_test.go"},
		"js": {"verify.mjs"},
		"sh": {"newkey.sh", "jwks.sh", "inspect.sh"},
	} {
		shown := textfile.Blocks(text, language)
		if len(shown) != len(files) {
			t.Errorf("%d blocks in %s, and %d files", len(shown), language, len(files))
		}
		for _, file := range files {
			if !slices.Contains(shown, snippet(t, file)) {
				t.Errorf("%s is not shown as it is", file)
			}
		}
	}
}

// snippet returns a file, of one in Go what follows its imports.
func snippet(t *testing.T, file string) string {
	t.Helper()
	text := textfile.Read(t, file)
	if _, code, ok := strings.Cut(text, "\n)\n\n"); ok && strings.HasSuffix(file, ".go") {
		return code
	}
	return text
}
