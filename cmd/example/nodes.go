package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
)

// reportFor is how long a report of the nodes is good for, however many ask.
const reportFor = time.Second

// nodeReport is what anybody may know of a node. Addresses are not part of it,
// and so neither are the texts of errors, which go to the log.
type nodeReport struct {
	Name                string `json:"name"`
	Up                  bool   `json:"up"`
	Error               string `json:"error,omitempty"`
	Evictions           uint64 `json:"evictions"`
	Gets                uint64 `json:"gets"`
	Connections         uint64 `json:"connections"`
	RejectedConnections uint64 `json:"rejected_connections"`
	Items               uint64 `json:"items"`
	Bytes               uint64 `json:"bytes"`
	LimitBytes          uint64 `json:"limit_bytes"`
}

// nodes asks memcached's nodes how they do: one round of questions at a time,
// and at most one in reportFor.
type nodes struct {
	health func(context.Context) []memcached.NodeHealth // nil: the store is embedded
	log    *slog.Logger

	mu    sync.Mutex
	asked time.Time
	last  []nodeReport
}

func newNodes(store session.Store, log *slog.Logger) *nodes {
	n := &nodes{log: log}
	if m, ok := store.(*memcached.Store); ok {
		n.health = m.Health
	}
	return n
}

// report goes on when the client that asked first has left: others wait for it.
func (n *nodes) report(ctx context.Context) []nodeReport {
	n.mu.Lock()
	defer n.mu.Unlock()
	if time.Since(n.asked) < reportFor {
		return n.last
	}
	n.last = []nodeReport{}
	for i, h := range n.health(context.WithoutCancel(ctx)) {
		if h.Err != nil {
			n.log.WarnContext(ctx, "a node did not report", "node", h.Name, "error", h.Err)
		}
		n.last = append(n.last, describeNode(i, h))
	}
	n.asked = time.Now()
	return n.last
}

func describeNode(i int, h memcached.NodeHealth) nodeReport {
	return nodeReport{
		Name: publicName(i, h.Name), Up: h.Up, Error: why(h.Err), Evictions: h.Evictions, Gets: h.Gets,
		Connections: h.Connections, RejectedConnections: h.RejectedConnections,
		Items: h.Items, Bytes: h.Bytes, LimitBytes: h.LimitBytes,
	}
}

func why(err error) string {
	var timeout net.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	default:
		return "no report"
	}
}
