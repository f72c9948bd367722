package report

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// Results are what several rounds of the benchmarks printed. Read returns them;
// they are not changed afterwards.
type Results struct {
	config map[string]string
	series map[string]*series
	names  []string // in the order of their first appearance
}

// series is one benchmark in each round.
type series struct {
	name   string            // without the number of processors
	parts  map[string]string // of the name: work, by, library and so on
	values map[string][]float64
}

// Units of values, as benchfmt has them.
const (
	seconds         = "sec/op"
	allocs          = "allocs/op"
	calls           = "calls/op"
	lost            = "lost/op"
	bytesPerSession = "B/session"
)

// Read reads the output of `go test -bench`, one round after another. Lines such
// as "memcached: 1.6.38" before it tell what it was measured with.
func Read(r io.Reader) (*Results, error) {
	res := &Results{config: map[string]string{}, series: map[string]*series{}}
	reader := benchfmt.NewReader(r, "results")
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.Result:
			res.add(record)
		case *benchfmt.SyntaxError:
			return nil, record
		}
	}
	if len(res.names) == 0 && reader.Err() == nil {
		return nil, fmt.Errorf("report: no results")
	}
	return res, reader.Err()
}

func (res *Results) add(r *benchfmt.Result) {
	for _, c := range r.Config {
		res.config[c.Key] = string(c.Value)
	}
	name, parts := parse(r.Name)
	s := res.series[name]
	if s == nil {
		s = &series{name: name, parts: parts, values: map[string][]float64{}}
		res.series[name] = s
		res.names = append(res.names, name)
	}
	for _, v := range r.Values {
		s.values[v.Unit] = append(s.values[v.Unit], v.Value)
	}
}

func parse(name benchfmt.Name) (string, map[string]string) {
	base, list := name.Parts()
	var text strings.Builder
	text.Write(base)
	parts := map[string]string{}
	for _, part := range list {
		if part[0] != '/' {
			continue // the number of processors
		}
		text.Write(part)
		if key, value, ok := strings.Cut(string(part[1:]), "="); ok {
			parts[key] = value
		}
	}
	return text.String(), parts
}

// rounds are how often each benchmark ran.
func (res *Results) rounds() int {
	rounds := math.MaxInt
	for _, s := range res.series {
		for _, values := range s.values {
			rounds = min(rounds, len(values))
		}
	}
	return rounds
}

// Whole reports whether enough was measured for the page: all requests, often
// enough for intervals.
func (res *Results) Whole() bool {
	return res.config["scale"] == "1" && res.rounds() >= enoughRounds
}

// find returns the benchmark whose name has exactly these parts.
func (res *Results) find(parts map[string]string) *series {
	for _, s := range res.series {
		if maps.Equal(s.parts, parts) {
			return s // no two have the same ones
		}
	}
	return nil
}

// with returns the parts of a name with some of them changed.
func (s *series) with(changes ...string) map[string]string {
	parts := maps.Clone(s.parts)
	for change := range slices.Chunk(changes, 2) {
		parts[change[0]] = change[1]
	}
	return parts
}

func (s *series) library() string { return s.parts["library"] }
