package main

import (
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	scrapeTimeout = 5 * time.Second
	maxScrapes    = 4 // at the same time
)

// metrics is what this process counts. Labels are fixed texts and the names that
// nodes were given: no ID, subject or address is among them.
type metrics struct {
	registry *prometheus.Registry
	events   *prometheus.CounterVec   // by kind, manager, reason and node
	duration *prometheus.HistogramVec // by operation and outcome
	names    map[string]string        // of nodes, by those that events have
}

// newMetrics has every series at 0 that an event of this manager can increase:
// rate() needs a value before the first one.
func newMetrics(manager string, names map[string]string) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "coatcheck_events_total",
			Help: "What happened to sessions and to memcached's nodes, as session.Event tells it.",
		}, []string{"kind", "manager", "reason", "node"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "coatcheck_store_duration_seconds",
			Help:    "How long calls of the store took.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1},
		}, []string{"operation", "outcome"}),
		names: names,
	}
	m.registry.MustRegister(m.events, m.duration,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for kind, all := range reasons {
		for _, reason := range all {
			m.expect(kind, manager, reason)
		}
	}
	for operation, all := range outcomes {
		for _, outcome := range all {
			m.duration.WithLabelValues(operation, outcome)
		}
	}
	return m
}

// expect makes the series of an event. A node that goes down or comes back is the
// store's affair, which may serve several managers.
func (m *metrics) expect(kind session.Kind, manager, reason string) {
	switch kind {
	case session.NodeDown, session.NodeUp:
		m.expectAt(kind, "", reason)
	case session.StoreFailed:
		m.expectAt(kind, manager, reason)
		fallthrough // it may be of no node in particular
	default:
		m.events.WithLabelValues(string(kind), manager, reason, "")
	}
}

func (m *metrics) expectAt(kind session.Kind, manager, reason string) {
	for _, node := range m.names {
		m.events.WithLabelValues(string(kind), manager, reason, node)
	}
}

func (m *metrics) count(e session.Event) {
	reason, node := reasonOf(e), e.Node
	if !slices.Contains(reasons[e.Kind], reason) {
		reason = other
	}
	if node != "" {
		if node = m.names[node]; node == "" {
			node = other
		}
	}
	m.events.WithLabelValues(string(e.Kind), e.Manager, reason, node).Inc()
}

// measure returns a store that is measured.
func (m *metrics) measure(store session.Store) *measured {
	return &measured{store: store, duration: m.duration}
}

func (m *metrics) handler(log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorHandling:       promhttp.ContinueOnError, // what there is is better than nothing
		Timeout:             scrapeTimeout,
		MaxRequestsInFlight: maxScrapes,
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelError),
	}))
	return mux
}
