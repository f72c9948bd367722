package report

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/perf/benchmath"
)

// What is called a change: one that would be seen in less than one of a hundred
// comparisons of equals, as there are about as many rows, and is large enough to
// be of interest.
const (
	significance = 0.01
	interesting  = 0.03

	enoughRounds = 6
)

// Changes says, in plain text, what became slower, or larger, since the results
// of an older version, and what became better.
func (res *Results) Changes(old *Results) string {
	if rounds := res.rounds(); rounds < enoughRounds {
		return fmt.Sprintf("Too few rounds (%d) to tell a regression from noise: it takes %d.\n", rounds, enoughRounds)
	}
	var worse, better []string
	for _, name := range res.names {
		before := old.series[name]
		if before == nil {
			continue
		}
		for _, unit := range []string{seconds, allocs, calls, bytesPerSession} {
			switch line, delta := changed(name, unit, before.values[unit], res.series[name].values[unit]); {
			case delta > 0:
				worse = append(worse, line)
			case delta < 0:
				better = append(better, line)
			}
		}
	}
	return list("REGRESSIONS", worse) + list("improvements", better)
}

func changed(name, unit string, before, after []float64) (string, float64) {
	if len(before) == 0 || len(after) == 0 {
		return "", 0
	}
	b, a := summarize(before).median, summarize(after).median
	p := benchmath.AssumeNothing.Compare(newSample(before), newSample(after)).P
	delta := (a - b) / b // infinite where nothing has become something
	if p >= significance || a == b || max(delta, -delta) < interesting {
		return "", 0
	}
	return fmt.Sprintf("%+6.1f%%  %-10s %s (p=%.3f)", 100*delta, unit, name, p), delta
}

func newSample(values []float64) *benchmath.Sample {
	return benchmath.NewSample(slices.Sorted(slices.Values(values)), &benchmath.DefaultThresholds)
}

func list(title string, lines []string) string {
	if len(lines) == 0 {
		return fmt.Sprintf("%s beyond the noise: none\n", title)
	}
	return fmt.Sprintf("%s beyond the noise:\n  %s\n", title, strings.Join(lines, "\n  "))
}
