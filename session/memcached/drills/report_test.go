package drills_test

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A phase of a drill: requests belong to the one in which they began.
type phase int

const (
	before phase = iota
	during
	after
	phases
)

// requests are those of a drill.
type requests []request

func (rs requests) where(holds func(request) bool) requests {
	var some requests
	for _, r := range rs {
		if holds(r) {
			some = append(some, r)
		}
	}
	return some
}

func (rs requests) between(from, to time.Time) requests {
	return rs.where(func(r request) bool { return !r.from.Before(from) && r.from.Before(to) })
}

func (rs requests) failures() requests {
	return rs.where(func(r request) bool { return r.failed != "" })
}

// percentile is of all answers, failures too.
func (rs requests) percentile(p float64) time.Duration {
	if len(rs) == 0 {
		return 0
	}
	took := make([]time.Duration, len(rs))
	for i, r := range rs {
		took[i] = r.took
	}
	slices.Sort(took)
	return took[min(int(p*float64(len(took))), len(took)-1)]
}

func (rs requests) latency() string {
	if len(rs) == 0 {
		return "-"
	}
	return milliseconds(rs.percentile(0.5)) + " / " + milliseconds(rs.percentile(0.99))
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()*1000) }

// byKind counts failures, such as "timeout 40 read 12 write; down 200 read".
func (rs requests) byKind() string {
	var parts []string
	for _, kind := range kinds {
		part := ""
		for _, class := range []class{read, write, login, logout} {
			n := len(rs.where(func(r request) bool { return r.failed == kind.failure && r.class == class }))
			if n > 0 {
				part += fmt.Sprintf(" %d %s", n, class)
			}
		}
		if part != "" {
			parts = append(parts, string(kind.failure)+part)
		}
	}
	return strings.Join(parts, "; ")
}

// A report is the table of all drills.
type report struct {
	rows []string
	load string // average of the machine, when it began
}

const header = "drill\trequests\tcount\tp50/p99 in ms: before\tduring\tafter\tsessions\tlost\trevived\tmixed up\tmiscounted\tfailures"

const legend = `
on n1, on any: the session or its subject's list lies on that node, or on one of all that are struck
that move: that lies on another node after the change than before
the others: neither does; what befalls the nodes should not be seen here
logins: begin a session, wherever there is a place

before, during, after: the drill strikes; a request belongs to when it began, but to "during" if it was under way then
lost: gone though nobody has ended the session; each drill says which may be
revived: alive after its logout, after its deadline, or after it was gone
mixed up: with another session's values, ID or subject
miscounted: a write is missing that was reported done, or is there twice

`

const judgement = `
p99 of the others, during: at most twice what it was before and 0.5 ms more, in drills that strike one node by
killing, stopping or slowing it. A drill of which latencies were not kept, or where requests ran into timeouts that
the machine may have caused, is played again, at most 3 times in all; the row is of the last. All else must hold
each time.
`

func (r *report) add(d *drill) {
	sessions, w := len(d.book.all()), &d.book.wrong
	counts := fmt.Sprintf("%d\t%d (%.1f%%)\t%d\t%d\t%d", sessions, w.lost, 100*float64(w.lost)/float64(sessions), w.revived, w.mixed, w.miscounted)
	for i, row := range []struct {
		name string
		of   requests
	}{
		{d.where, d.requests().where(func(r request) bool { return r.class != login && r.touched })},
		{"the others", d.requests().where(func(r request) bool { return r.class != login && !r.touched })},
		{"logins", d.requests().where(func(r request) bool { return r.class == login })},
	} {
		name := []string{d.name, "", ""}[i]
		r.rows = append(r.rows, strings.Join([]string{
			name, row.name, fmt.Sprint(len(row.of)),
			d.in(row.of, before).latency(), d.in(row.of, during).latency(), d.in(row.of, after).latency(),
			counts, row.of.byKind(),
		}, "\t"))
		counts = "\t\t\t\t"
	}
}

func (r *report) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, header)
	for _, row := range r.rows {
		fmt.Fprintln(w, row)
	}
	w.Flush()
	b.WriteString(legend)
	b.WriteString("failures:\n")
	for _, kind := range kinds {
		fmt.Fprintf(&b, "  %s: %s\n", kind.failure, kind.means)
	}
	b.WriteString(judgement)
	if strict {
		fmt.Fprintf(&b, "\nload average before the first drill: %s. Above 1, latencies are not meaningful.\n", r.load)
	} else {
		b.WriteString("\nlatencies were not judged (make drill does).\n")
	}
	return b.String()
}
