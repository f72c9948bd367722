package main

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/coatcheck/coatcheck/session"
)

// For the tests: what is counted without a server around it.
var (
	NewMetrics = newMetrics
	LogThinned = logThinned
	Reasons    = reasons
	Outcomes   = outcomes
)

func (m *metrics) Measure(store session.Store) *measured { return m.measure(store) }

// Gets is the count of a measured store.
func (m *measured) Gets() uint64 {
	n, _ := m.gets(context.Background())
	return n
}

func (m *metrics) Observer(log *slog.Logger) func(context.Context, session.Event) {
	return observer(m, log)
}

// Handler is what a metricsServer serves.
func (m *metrics) Handler() http.Handler { return m.handler(slog.New(slog.DiscardHandler)) }
