// Package textfile reads files of the checkout, and the blocks of code in its
// pages, for tests that hold one against the other.
package textfile

import (
	"os"
	"strings"
	"testing"
)

// Read returns a file's text, its lines ended by line feeds on every system.
func Read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// Blocks returns the fenced blocks of one language in a Markdown page.
func Blocks(page, language string) (found []string) {
	for _, part := range strings.Split(page, "\n```"+language+"\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		found = append(found, block)
	}
	return found
}
