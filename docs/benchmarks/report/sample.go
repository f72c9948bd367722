package report

import (
	"fmt"
	"math"
	"slices"

	"golang.org/x/perf/benchmath"
)

const confidence = 0.95

// A sample is a median, and where it lies with 95 % confidence. Of fewer than six
// values no interval has that: then it is all of them.
type sample struct{ median, low, high float64 }

func summarize(values []float64) sample {
	sorted := slices.Sorted(slices.Values(values))
	s := benchmath.AssumeNothing.Summary(benchmath.NewSample(sorted, &benchmath.DefaultThresholds), confidence)
	if math.IsInf(s.Lo, 0) || math.IsInf(s.Hi, 0) {
		s.Lo, s.Hi = sorted[0], sorted[len(sorted)-1]
	}
	return sample{s.Center, s.Lo, s.Hi}
}

func (s sample) String() string {
	if s.low == s.high {
		return number(s.median)
	}
	return fmt.Sprintf("%s (%s–%s)", number(s.median), number(s.low), number(s.high))
}

// number has two digits after the point for what is small, as ratios are.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a == math.Trunc(a):
		return fmt.Sprintf("%.0f", v)
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

// combine applies f to the values of each round.
func combine(f func(v ...float64) float64, values ...[]float64) []float64 {
	n := len(values[0])
	for _, v := range values {
		n = min(n, len(v))
	}
	out := make([]float64, n)
	for i := range out {
		round := make([]float64, len(values))
		for j, v := range values {
			round[j] = v[i]
		}
		out[i] = f(round...)
	}
	return out
}

func ratio(v ...float64) float64 { return v[0] / v[1] }
