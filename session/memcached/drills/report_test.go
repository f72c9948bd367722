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
			n := len(rs.where(func(r request) bool { return r.failed == kind && r.class == class }))
			if n > 0 {
				part += fmt.Sprintf(" %d %s", n, class)
			}
		}
		if part != "" {
			parts = append(parts, string(kind)+part)
		}
	}
	return strings.Join(parts, "; ")
}

// A report is the table of all drills.
type report struct{ rows []string }

const header = "drill\trequests\t\tbefore: p50 / p99\tduring, in ms\tafter\tsessions\tlost\trevived\tmixed up\tmiscounted\tfailures"

func (r *report) add(d *drill) {
	sessions, w := len(d.book.all()), &d.book.wrong
	counts := fmt.Sprintf("%d\t%d (%.1f%%)\t%d\t%d\t%d", sessions, w.lost, 100*float64(w.lost)/float64(sessions), w.revived, w.mixed, w.miscounted)
	for i, row := range []struct {
		name string
		of   requests
	}{
		{d.struck, d.requests().where(func(r request) bool { return r.class != login && r.concerns })},
		{"the others", d.requests().where(func(r request) bool { return r.class != login && !r.concerns })},
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
	return b.String()
}
