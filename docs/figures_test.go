package docs_test

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestFigures compares the README's ratios with those that were measured last.
func TestFigures(t *testing.T) {
	t.Parallel()
	readme, measured := readDoc(t, "../README.md"), readDoc(t, "benchmarks.md")
	row := regexp.MustCompile(`(?m)^\| Time of a read by 64 clients\? .*$`).FindString(readme)
	got := regexp.MustCompile(`0\.\d\d`).FindAllString(row, 3)
	var want []string
	for _, goal := range []string{"read by cookie, of scs", "read by cookie, of gorilla", "read by token, of jwtauth"} {
		m := regexp.MustCompile(`(?m)^\| ` + goal + ` \| [0-9.]+ \| ([0-9.]+) `).FindStringSubmatch(measured)
		if m == nil {
			t.Fatalf("nothing was measured of %q", goal)
		}
		want = append(want, m[1])
	}
	if !slices.Equal(got, want) {
		t.Errorf("the README says %q, docs/benchmarks.md %q, in the row\n%s", got, want, row)
	}
}

func readDoc(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
