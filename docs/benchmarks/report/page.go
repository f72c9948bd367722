package report

import (
	"errors"
	"fmt"
	"strings"
)

const (
	begin = "<!-- measured: what follows is written by make bench -->\n"
	end   = "<!-- measured: end -->\n"
)

// ErrMarkers is returned for a page that has no place for results.
var ErrMarkers = errors.New("report: the page lacks its markers")

// Update returns a page with its results replaced.
func (res *Results) Update(page string) (string, error) {
	before, rest, ok := strings.Cut(page, begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		return "", ErrMarkers
	}
	return before + begin + "\n" + res.section() + "\n" + end + after, nil
}

func (res *Results) section() string {
	return fmt.Sprintf(`### Measured with

%s
### Goals

%s
### Ratios

![Bars: %s](benchmarks/ratios.svg)

![Lines: %s](benchmarks/size.svg)

![Lines: %s](benchmarks/keys.svg)

### Everything

`+"```text\n%s```\n", res.machine(), res.Goals(),
		"the time of each library for each work, as a ratio", "time by the bytes of a session", "time by the number of values", res.Table())
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
