package report

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

var header = []string{"work", "by", "library", "64 clients", "ratio", "256 clients", "ratio", "allocs", "calls", ""}

// texts are how many columns, from the left, are not aligned to the right.
const texts = 3

// Table returns one plain text table of everything. A time is a request's, as a
// median over the rounds; a ratio is against the library whose own ratio is 1,
// with its 95 % interval.
func (res *Results) Table() string {
	t := table{header}
	for _, g := range res.groups() {
		t = append(t, nil)
		for i, r := range g.rows {
			line := res.line(r)
			if i == 0 {
				line[0], line[1] = g.title, g.by
			}
			t = append(t, line)
		}
	}
	return t.String()
}

func (res *Results) line(r *row) []string {
	line := []string{"", "", r.library, amount(r.few), res.ratio(r.few), amount(r.many), res.ratio(r.many), "", "", ""}
	if r.few != nil && r.few.values[bytesPerSession] == nil {
		line[7], line[8] = r.few.count(allocs), r.few.count(calls)
		line[9] = r.lost()
	}
	return line
}

func (res *Results) ratio(s *series) string {
	r, ok := res.against(s)
	switch {
	case !ok:
		return ""
	case res.baseline(s) == s:
		return "1"
	default:
		return r.String()
	}
}

// amount is a time or, for memory, bytes.
func amount(s *series) string {
	switch {
	case s == nil || s.main() == nil:
		return ""
	case s.values[bytesPerSession] != nil:
		return fmt.Sprintf("%.0f B", summarize(s.main()).median)
	default:
		return microseconds(summarize(s.main()).median)
	}
}

func microseconds(sec float64) string { return number(sec*1e6) + " µs" }

func (s *series) count(unit string) string {
	v := s.values[unit]
	if v == nil {
		return ""
	}
	n := summarize(v).median
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", n), "0"), ".")
}

// A table is lines of cells; a nil line is an empty one.
type table [][]string

func (t table) String() string {
	widths := make([]int, len(t[0]))
	for _, line := range t {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, line := range t {
		var l strings.Builder
		for i, cell := range line {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i < texts || i == len(line)-1 {
				l.WriteString(cell + pad + "  ")
			} else {
				l.WriteString(pad + cell + "  ")
			}
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	return b.String()
}
