package main

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// nodeMetric is a number that a node reports.
type nodeMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(nodeReport) float64
}

func newNodeMetric(name, help string, kind prometheus.ValueType, value func(nodeReport) float64) nodeMetric {
	return nodeMetric{prometheus.NewDesc("coatcheck_node_"+name, help, []string{"node"}, nil), kind, value}
}

// The first two say how the node is. The others are its own words, about all its
// clients: so many processes that are asked tell the same.
var (
	nodeUp = newNodeMetric("up", "Whether this process makes calls to the node: 0 if it has given it up.",
		prometheus.GaugeValue, func(r nodeReport) float64 { return number(r.Up) })
	nodeReporting = newNodeMetric("reporting", "Whether the node answered when it was asked for what follows.",
		prometheus.GaugeValue, func(r nodeReport) float64 { return number(r.Error == "") })

	nodeWords = []nodeMetric{
		newNodeMetric("evictions_total", "Items that the node threw out before they had expired, to make room.",
			prometheus.CounterValue, func(r nodeReport) float64 { return float64(r.Evictions) }),
		newNodeMetric("gets_total", "Keys that the node was asked for.",
			prometheus.CounterValue, func(r nodeReport) float64 { return float64(r.Gets) }),
		newNodeMetric("connections", "Connections to the node.",
			prometheus.GaugeValue, func(r nodeReport) float64 { return float64(r.Connections) }),
		newNodeMetric("rejected_connections_total", "Connections that the node had to turn away.",
			prometheus.CounterValue, func(r nodeReport) float64 { return float64(r.RejectedConnections) }),
		newNodeMetric("items", "Items that the node holds.",
			prometheus.GaugeValue, func(r nodeReport) float64 { return float64(r.Items) }),
		newNodeMetric("bytes", "What the node's items take.",
			prometheus.GaugeValue, func(r nodeReport) float64 { return float64(r.Bytes) }),
		newNodeMetric("limit_bytes", "What the node's items may take.",
			prometheus.GaugeValue, func(r nodeReport) float64 { return float64(r.LimitBytes) }),
	}
)

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// nodeCollector shows what GET /nodes shows, and asks no more often.
type nodeCollector struct{ nodes *nodes }

func (c nodeCollector) Describe(descs chan<- *prometheus.Desc) {
	descs <- nodeUp.desc
	descs <- nodeReporting.desc
	for _, m := range nodeWords {
		descs <- m.desc
	}
}

// Collect leaves out the numbers of a node that did not report: a counter at 0
// would be one that began anew.
func (c nodeCollector) Collect(values chan<- prometheus.Metric) {
	if c.nodes.health == nil {
		return
	}
	for _, r := range c.nodes.report(context.Background()) { // bounded by the store's timeout
		values <- nodeUp.of(r)
		values <- nodeReporting.of(r)
		if r.Error != "" {
			continue
		}
		for _, m := range nodeWords {
			values <- m.of(r)
		}
	}
}

func (m nodeMetric) of(r nodeReport) prometheus.Metric {
	return prometheus.MustNewConstMetric(m.desc, m.kind, m.value(r), r.Name)
}
