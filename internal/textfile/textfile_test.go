package textfile_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/coatcheck/coatcheck/internal/textfile"
)

func TestBlocks(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "page.md")
	const page = "# Page\r\n\r\n```go\r\nx := 1\r\ny := 2\r\n```\r\n```sh\r\nls\r\n```\r\ntext\r\n```go\r\n```\r\n```gold\r\nno\r\n```\r\n"
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	text := textfile.Read(t, file)
	for language, want := range map[string][]string{"go": {"x := 1\ny := 2\n", ""}, "sh": {"ls\n"}, "js": nil} {
		if got := textfile.Blocks(text, language); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", language, got, want)
		}
	}
}
