package report

import (
	"fmt"
	"strings"
)

// A goal is a number that the median should not exceed.
type goal struct {
	title   string
	limit   float64
	measure func(*Results) []float64
}

// goals are all at 64 clients.
var goals = []goal{
	{"read by cookie, of scs", 0.25, times(ratio, read("coatcheck"), read("scs"))},
	{"read by cookie, of gorilla", 0.25, times(ratio, read("coatcheck"), read("gorilla"))},
	{"read by cookie, of a plain get and an empty request", 1, times(ofSum, read("coatcheck"), plainGet, empty)},
	{"allocations of a read by cookie", 60, of(allocs, read("coatcheck"))},
	{"read by token, of jwtauth", 0.6, times(ratio, at("read", "token", "coatcheck"), at("read", "token", "jwtauth"))},
	{"read and write, of scs", 0.45, times(ratio, write("coatcheck"), write("scs"))},
	{"read and write, of gorilla", 0.45, times(ratio, write("coatcheck"), write("gorilla"))},
	{"read with sliding expiry at work, of a read", 1.05, times(ratio, at("slide", "cookie", "coatcheck-refreshing"), at("slide", "cookie", "coatcheck"))},
	{"forged token over an empty request, of jwtauth's", 0.15, times(ofExcess, at("forged", "token", "coatcheck"), forgedToken, empty)},
	{"forged cookie with SealKeys over an empty request, of jwtauth's", 0.15, times(ofExcess, forgedCookie, forgedToken, empty)},
	{"store calls of a forged token", 0, of(calls, at("forged", "token", "coatcheck"))},
	{"store calls of a forged cookie with SealKeys", 0, of(calls, forgedCookie)},
	{"anonymous, of an empty request", 1.1, times(ratio, at("anonymous", "none", "coatcheck"), empty)},
	{"what 20 KB take over 200 B, of a plain get's", 1, times(growth, sized("20000", "coatcheck"), sized("200", "coatcheck"), sized("20000", "gomemcache"), sized("200", "gomemcache"))},
}

// A name is the parts of a benchmark's.
type name map[string]string

func at(work, by, library string) name {
	return name{"work": work, "by": by, "sessions": "own", "clients": few, "library": library}
}

func read(library string) name  { return at("read", "cookie", library) }
func write(library string) name { return at("write", "cookie", library) }

var (
	empty        = at("empty", "none", "chi")
	forgedToken  = at("forged", "token", "jwtauth")
	forgedCookie = at("forged", "cookie", "coatcheck-sealed")
	plainGet     = name{"work": "get", "by": "none", "sessions": "1", "clients": few, "library": "gomemcache"}
)

func sized(bytes, library string) name {
	return name{"work": "size", "by": "cookie", "bytes": bytes, "keys": "3", "clients": few, "library": library}
}

func ofSum(v ...float64) float64    { return v[0] / (v[1] + v[2]) }
func ofExcess(v ...float64) float64 { return (v[0] - v[2]) / (v[1] - v[2]) }
func growth(v ...float64) float64   { return (v[0] - v[1]) / (v[2] - v[3]) }

// times has f applied to the times of benchmarks in each round.
func times(f func(...float64) float64, names ...name) func(*Results) []float64 {
	return func(res *Results) []float64 {
		values := make([][]float64, len(names))
		for i, n := range names {
			s := res.find(n)
			if s == nil {
				return nil
			}
			values[i] = s.values[seconds]
		}
		return combine(f, values...)
	}
}

func of(unit string, n name) func(*Results) []float64 {
	return func(res *Results) []float64 {
		if s := res.find(n); s != nil {
			return s.values[unit]
		}
		return nil
	}
}

// Goals returns a table, in Markdown, of what should be reached and what was.
// Goals whose benchmarks did not run are left out.
func (res *Results) Goals() string {
	var b strings.Builder
	b.WriteString("| goal | at most | measured | reached |\n|---|--:|--:|---|\n")
	for _, g := range goals {
		if values := g.measure(res); len(values) > 0 {
			s := summarize(values)
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", g.title, limit(g.limit), s, g.reached(s))
		}
	}
	return b.String()
}

func limit(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
}

func (g goal) reached(s sample) string {
	verdict := "yes"
	if s.median > g.limit {
		verdict = "**no**"
	}
	if s.low <= g.limit && g.limit < s.high {
		verdict += ", within the noise"
	}
	return verdict
}
