package main_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/coatcheck/coatcheck/internal/child"
)

// serveMetered is serveLogged with metrics, and their URL without the path.
func serveMetered(t *testing.T, e env, args ...string) (base, metrics string, log *child.Journal) {
	t.Helper()
	base, log = serveLogged(t, e, append([]string{"-metrics-addr", "127.0.0.1:0"}, args...)...)
	_, url, _ := strings.Cut(log.Await(t, "serving metrics"), "url=")
	return base, strings.TrimSuffix(strings.TrimSpace(url), "/metrics"), log
}

// series are the values that a scrape has, by name and labels, as in
// `name{a="b",c="d"}` with the labels in order, and without those that are empty.
// Of a histogram it is how many values were observed.
type series map[string]float64

func scrape(t *testing.T, metrics string) series {
	t.Helper()
	return parseMetrics(t, newClient(t, metrics).get("/metrics").want(t, http.StatusOK).body)
}

func parseMetrics(t *testing.T, text string) series {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	found := make(series)
	for name, family := range families {
		for _, m := range family.GetMetric() {
			found[name+labels(m)] = m.GetCounter().GetValue() + m.GetGauge().GetValue() +
				m.GetUntyped().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return found
}

func labels(m *dto.Metric) string {
	pairs := make(map[string]string)
	for _, l := range m.GetLabel() {
		if l.GetValue() != "" {
			pairs[l.GetName()] = l.GetValue()
		}
	}
	if len(pairs) == 0 {
		return ""
	}
	var text []string
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		text = append(text, name+`="`+pairs[name]+`"`)
	}
	return "{" + strings.Join(text, ",") + "}"
}

// event is the series of an event, of no node in particular.
func event(kind string, reason ...string) string {
	labels := `{kind="` + kind + `",manager="session"`
	if len(reason) > 0 {
		labels += `,reason="` + reason[0] + `"`
	}
	return "coatcheck_events_total" + labels + "}"
}

// ofNode is the series of an event of a node.
func ofNode(kind, node, manager string) string {
	labels := `{kind="` + kind + `",`
	if manager != "" {
		labels += `manager="` + manager + `",`
	}
	return "coatcheck_events_total" + labels + `node="` + node + `"}`
}

// at returns a value that must be there.
func (s series) at(t *testing.T, name string) float64 {
	t.Helper()
	value, ok := s[name]
	if !ok {
		t.Fatalf("there is no %s in %q", name, slices.Sorted(maps.Keys(s)))
	}
	return value
}

// wantMore checks that while f ran these series grew, by these numbers.
func wantMore(t *testing.T, metrics string, want map[string]float64, f func()) {
	t.Helper()
	before := scrape(t, metrics)
	f()
	after := scrape(t, metrics)
	for name, by := range want {
		if got := after.at(t, name) - before.at(t, name); got != by {
			t.Errorf("%s grew by %v, want %v", name, got, by)
		}
	}
}
