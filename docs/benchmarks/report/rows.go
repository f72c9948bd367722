package report

import (
	"fmt"
	"strconv"
	"strings"
)

// A group is one work in the table: every library that does it.
type group struct {
	title, by string
	rows      []*row
}

// A row is one library, with as many clients as were measured.
type row struct {
	library string
	few     *series // 64 clients, or what has no clients
	many    *series // 256
}

// lost says how much of what clients changed is not there at the end.
func (r *row) lost() string {
	v := r.few.values[lost]
	if v == nil {
		return ""
	}
	return fmt.Sprintf("%.0f%% of the changes lost", 100*summarize(v).median)
}

const (
	few  = "64"
	many = "256"
)

// groups returns what was measured, in the order of measuring.
func (res *Results) groups() []*group {
	var groups []*group
	known := map[string]*group{}
	for _, name := range res.names {
		s := res.series[name]
		key := s.title() + " by " + s.parts["by"]
		g := known[key]
		if g == nil {
			g = &group{title: s.title(), by: s.by()}
			known[key] = g
			groups = append(groups, g)
		}
		g.add(s)
	}
	return groups
}

func (g *group) add(s *series) {
	for _, r := range g.rows {
		if r.library == s.library() && s.parts["clients"] == many {
			r.many = s
			return
		}
	}
	g.rows = append(g.rows, &row{library: s.library(), few: s})
}

func (s *series) by() string {
	if by := s.parts["by"]; by != "none" {
		return by
	}
	return ""
}

var titles = map[string]string{
	"get":       "get without a request",
	"empty":     "empty request",
	"read":      "read",
	"write":     "read and write",
	"untouched": "nothing touched",
	"anonymous": "anonymous",
	"forged":    "forged",
	"expired":   "expired",
	"login":     "login (renew)",
	"slide":     "read, sliding expiry",
}

// title says what was done.
func (s *series) title() string {
	switch {
	case s.parts["work"] == "memory":
		return "memory of a session, " + s.parts["in"]
	case s.parts["work"] == "keys":
		return fmt.Sprintf("read, %s in %s values", size(s.parts["bytes"]), s.parts["keys"])
	case s.parts["work"] == "size":
		return "read, " + size(s.parts["bytes"])
	case s.parts["sessions"] == "1000":
		return titles[s.parts["work"]] + ", 1,000 sessions"
	case s.parts["sessions"] == "1" && s.parts["work"] != "get":
		return titles[s.parts["work"]] + ", 1 hot session"
	case s.parts["clients"] == "1":
		return titles[s.parts["work"]] + ", 1 client"
	case s.parts["clients"] == "8":
		return titles[s.parts["work"]] + ", 8 clients"
	default:
		return titles[s.parts["work"]]
	}
}

func size(bytes string) string {
	if n, err := strconv.Atoi(bytes); err == nil && n >= 1000 {
		return fmt.Sprintf("%d KB", n/1000)
	}
	return bytes + " B"
}

// baseline is what a benchmark is held against: nil for what is the measure of
// other things.
func (res *Results) baseline(s *series) *series {
	switch {
	case s.parts["work"] == "get", s.parts["work"] == "empty":
		return nil
	case s.parts["work"] == "anonymous":
		return res.find(s.with("work", "empty", "library", "chi"))
	case s.parts["work"] == "slide":
		library, _, _ := strings.Cut(s.library(), "-")
		return res.find(s.with("library", library))
	case s.parts["by"] == "token":
		return res.find(s.with("library", "jwtauth"))
	default:
		return res.find(s.with("library", "scs"))
	}
}

// against returns a benchmark's ratio to its baseline.
func (res *Results) against(s *series) (sample, bool) {
	if s == nil {
		return sample{}, false
	}
	base := res.baseline(s)
	if base == nil || base.main() == nil || s.main() == nil {
		return sample{}, false
	}
	return summarize(combine(ratio, s.main(), base.main())), true
}

// main returns the values that a benchmark is about.
func (s *series) main() []float64 {
	if v := s.values[bytesPerSession]; v != nil {
		return v
	}
	return s.values[seconds]
}
