package report

import (
	"errors"
	"fmt"
	"strings"
)

// A region is a part of the page that is written anew: what it shows comes first,
// and everything last.
type region struct {
	name  string
	write func(*Results) string
}

var regions = []region{{"summary", (*Results).summary}, {"everything", (*Results).everything}}

// ErrMarkers is returned for a page that has no place for results.
var ErrMarkers = errors.New("report: the page lacks its markers")

// Update returns a page with its results replaced.
func (res *Results) Update(page string) (string, error) {
	for _, r := range regions {
		begin, end := "<!-- "+r.name+": written by make bench -->\n", "<!-- "+r.name+": end -->\n"
		before, rest, ok := strings.Cut(page, begin)
		_, after, ended := strings.Cut(rest, end)
		if !ok || !ended {
			return "", ErrMarkers
		}
		page = before + begin + "\n" + r.write(res) + "\n" + end + after
	}
	return page, nil
}

func (res *Results) summary() string {
	return fmt.Sprintf(`%s
![Bars: the time of each library for each work, as a ratio](benchmarks/ratios.svg)

![Lines: time by the bytes of a session](benchmarks/size.svg)

![Lines: time by the number of values](benchmarks/keys.svg)
`, res.Goals())
}

func (res *Results) everything() string {
	return fmt.Sprintf("Measured with\n\n%s\n```text\n%s```\n", res.machine(), res.Table())
}

// machine lists what the results depend on.
func (res *Results) machine() string {
	var b strings.Builder
	for _, key := range []string{"date", "commit", "cpu", "cores", "goos", "goarch", "go", "memcached", "peers", "rounds"} {
		if v := res.config[key]; v != "" {
			fmt.Fprintf(&b, "- %s: %s\n", key, v)
		}
	}
	return b.String()
}
