package docs_test

import (
	"regexp"
	"testing"
)

// TestFigures compares the README's ratios with those that were measured last.
func TestFigures(t *testing.T) {
	t.Parallel()
	pages := openRepo(t).pages
	readme, measured := pages["README.md"].text, pages["docs/benchmarks.md"].text
	for _, test := range []struct{ row, figure, of string }{
		{"Time of a read", `0\.\d\d`, `read by cookie, of scs \| 0.25 \|`},
		{"Time of a read", `scs's, (0\.\d\d)`, `read by cookie, of gorilla \| 0.25 \|`},
		{"Time of a read", `token (\d\.\d\d)`, `read by token, of jwtauth \| 0.6 \|`},
		{"Time of a read", `everything\) (\d\.\d\d)`, `read, 1 client +cookie +coatcheck +\S+ µs `},
		{"Time of a login", `\d\.\d\d`, `login \(renew\) +cookie +coatcheck +\S+ µs `},
		{"Time of a login", `token (\d\.\d\d)`, `login \(renew\) +token +coatcheck +\S+ µs `},
		{"Time of a login", `; (\d\.\d\d)`, `read and write, 1 hot session +cookie +coatcheck +\S+ µs `},
	} {
		row := regexp.MustCompile(`(?m)^\| ` + test.row + `.*$`).FindString(readme)
		got := regexp.MustCompile(test.figure).FindStringSubmatch(row)
		want := regexp.MustCompile(test.of + ` *([0-9.]+) `).FindStringSubmatch(measured)
		if got == nil || want == nil || got[len(got)-1] != want[1] {
			t.Errorf("%q in the README's row %q, %q in docs/benchmarks.md", got, row, want)
		}
	}
}
