package main_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	example "github.com/coatcheck/coatcheck/cmd/example"
	"github.com/coatcheck/coatcheck/session"
	"go.yaml.in/yaml/v3"
)

type alert struct {
	Alert, Expr string
	For         string
	Labels      struct{ Severity string }
	Annotations struct{ Summary string }
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []alert
		}
	}
	decoder := yaml.NewDecoder(strings.NewReader(page(t, "docs/alerts.yml")))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	if len(file.Groups) != 1 || len(file.Groups[0].Rules) < 10 {
		t.Fatalf("%+v", file)
	}
	return file.Groups[0].Rules
}

// TestAlerts checks that the rules of docs/alerts.yml ask for what there is: a
// name that nobody exposes would be an alert that never comes.
func TestAlerts(t *testing.T) {
	t.Parallel()
	exposed, text := metricNames(t), page(t, "docs/monitoring.md")
	var named []string
	for _, a := range alerts(t) {
		named = append(named, a.Alert)
		if a.Expr == "" || a.Annotations.Summary == "" || a.Labels.Severity != "warning" && a.Labels.Severity != "critical" {
			t.Errorf("%s lacks something: %+v", a.Alert, a)
		}
		if _, err := time.ParseDuration(a.For); a.For != "" && err != nil {
			t.Errorf("%s: %v", a.Alert, err)
		}
		if strings.Count(a.Expr, "(") != strings.Count(a.Expr, ")") {
			t.Errorf("%s: %s", a.Alert, a.Expr)
		}
		metrics := metricName.FindAllString(a.Expr, -1)
		if len(metrics) == 0 {
			t.Errorf("%s asks for nothing: %s", a.Alert, a.Expr)
		}
		for _, name := range metrics {
			if !exposed[strings.TrimSuffix(name, "_bucket")] {
				t.Errorf("%s asks for %s, which nobody exposes", a.Alert, name)
			}
		}
		checkMatchers(t, a)
		if rowOf(text, a.Alert) == "" {
			t.Errorf("docs/monitoring.md has no row of %s", a.Alert)
		}
	}
	for _, name := range regexp.MustCompile("`Coatcheck[A-Za-z]+`").FindAllString(text, -1) {
		if !slices.Contains(named, strings.Trim(name, "`")) {
			t.Errorf("docs/monitoring.md has %s, docs/alerts.yml has not", name)
		}
	}
}

// checkMatchers checks that each event that a rule asks for can happen.
func checkMatchers(t *testing.T, a alert) {
	t.Helper()
	for _, selector := range regexp.MustCompile(`coatcheck_events_total\{([^}]*)\}`).FindAllStringSubmatch(a.Expr, -1) {
		var reasons []string
		for _, matcher := range regexp.MustCompile(`(\w+)=~?"([^"]*)"`).FindAllStringSubmatch(selector[1], -1) {
			switch name, value := matcher[1], matcher[2]; name {
			case "kind":
				if reasons = example.Reasons[session.Kind(value)]; reasons == nil {
					t.Errorf("%s: there is no kind %q", a.Alert, value)
				}
			case "reason":
				for reason := range strings.SplitSeq(value, "|") {
					if !slices.Contains(reasons, reason) {
						t.Errorf("%s: there is no reason %q of that kind", a.Alert, reason)
					}
				}
			default:
				t.Errorf("%s asks by %s", a.Alert, name)
			}
		}
	}
}
