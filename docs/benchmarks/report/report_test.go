package report_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/docs/benchmarks/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const page = "# Title\n\nbefore\n\n<!-- summary: written by make bench -->\nold\n<!-- summary: end -->\n\nbetween\n\n" +
	"<!-- everything: written by make bench -->\nold\n<!-- everything: end -->\n\nafter\n"

func results(t *testing.T) *report.Results {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "results.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	res, err := report.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// TestGolden holds all that is written to what it was when it was looked at.
func TestGolden(t *testing.T) {
	t.Parallel()
	res := results(t)
	text, err := res.Update(page)
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{
		"table.txt": res.Table(), "page.md": text, "ratios.svg": res.Bars(), "size.svg": res.Sizes(), "keys.svg": res.Keys(),
	} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs (go test -update ./report rewrites it):\n%s", name, got)
		}
	}
}

// TestCharts has an XML parser read the charts, and looks for what those need who
// can't see them.
func TestCharts(t *testing.T) {
	t.Parallel()
	res := results(t)
	for name, chart := range map[string]string{"bars": res.Bars(), "sizes": res.Sizes(), "keys": res.Keys()} {
		texts := map[string]string{}
		var element string
		d := xml.NewDecoder(strings.NewReader(chart))
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			switch token := token.(type) {
			case xml.StartElement:
				element = token.Name.Local
			case xml.CharData:
				texts[element] += string(token)
			}
		}
		if texts["title"] == "" || !strings.Contains(texts["desc"], "coatcheck") || !strings.Contains(texts["style"], "prefers-color-scheme:dark") {
			t.Errorf("%s lacks a title, a description or colours for dark pages", name)
		}
		if strings.Contains(chart, "NaN") || strings.Contains(chart, "Inf") {
			t.Errorf("%s has a place that is none", name)
		}
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	res := results(t)
	text, err := res.Update(page)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := res.Update(text); err != nil || again != text {
		t.Errorf("a second update changes the page (%v)", err)
	}
	if strings.Contains(text, "old") || !strings.HasPrefix(text, "# Title\n\nbefore\n") || !strings.HasSuffix(text, "\nafter\n") || !strings.Contains(text, "\n\nbetween\n\n") {
		t.Errorf("the rest of the page is not as it was:\n%s", text)
	}
	for marker := range strings.SplitAfterSeq(page, "-->\n") {
		_, marker, ok := strings.Cut(marker, "<!--")
		if _, err := res.Update(strings.Replace(page, marker, "", 1)); ok && !errors.Is(err, report.ErrMarkers) {
			t.Errorf("a page without <!--%s: %v", marker, err)
		}
	}
}

// TestPage finds the markers, and the charts, where the page has them.
func TestPage(t *testing.T) {
	t.Parallel()
	docs := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(docs, "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := results(t).Update(string(text)); err != nil {
		t.Error(err)
	}
	for _, image := range regexp.MustCompile(`\]\(([^)]+\.svg)\)`).FindAllStringSubmatch(string(text), -1) {
		if _, err := os.Stat(filepath.Join(docs, image[1])); err != nil {
			t.Error(err)
		}
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	const slower = `REGRESSIONS beyond the noise:
   +49.5%  sec/op     A/library=coatcheck (p=0.002)
improvements beyond the noise:
   -50.0%  allocs/op  A/library=coatcheck (p=0.002)
`
	const equal = "REGRESSIONS beyond the noise: none\nimprovements beyond the noise: none\n"
	before := rounds(t, "100 ns/op 10 allocs/op", "101 ns/op 10 allocs/op", "102 ns/op 10 allocs/op")
	for _, c := range []struct {
		name  string
		after *report.Results
		want  string
	}{
		{"the same", before, equal},
		{"slower, with fewer allocations", rounds(t, "150 ns/op 5 allocs/op", "151 ns/op 5 allocs/op", "153 ns/op 5 allocs/op"), slower},
		{"too little", rounds(t, "102.1 ns/op 10 allocs/op", "102.2 ns/op 10 allocs/op", "102.3 ns/op 10 allocs/op"), equal},
		{"noise", rounds(t, "90 ns/op 10 allocs/op", "150 ns/op 10 allocs/op", "101 ns/op 10 allocs/op"), equal},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.after.Changes(before); got != c.want {
				t.Errorf("%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// rounds returns results of one benchmark, each of them twice.
func rounds(t *testing.T, values ...string) *report.Results {
	t.Helper()
	var b strings.Builder
	for _, v := range append(values, values...) {
		b.WriteString("BenchmarkA/library=coatcheck-2 100 " + v + "\n")
	}
	res, err := report.Read(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestNothing(t *testing.T) {
	t.Parallel()
	for _, input := range []string{"", "PASS\n", "BenchmarkA 1 ns/op\n"} {
		if _, err := report.Read(strings.NewReader(input)); err == nil {
			t.Errorf("no error for %q", input)
		}
	}
}
