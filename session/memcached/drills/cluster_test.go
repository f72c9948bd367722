package drills_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

const managerName = "drill"

// A cluster is some memcached nodes, n0 and so on, and the two processes that
// share sessions on them.
type cluster struct {
	names     []string
	servers   map[string]*memcachedtest.Server
	addrs     map[string]string
	seal      session.SealKey
	processes [2]*process
}

// A process stands for one: what it shares with the other is in memcached.
type process struct {
	manager *session.Manager
	store   *memcached.Store

	mu   sync.Mutex
	down map[string]bool // the nodes that it has given up
}

// patience is the store's timeout: its default where latencies count. A busy
// machine may keep a request waiting for as long as that.
func patience() time.Duration {
	if strict {
		return memcached.DefaultTimeout
	}
	return 2500 * time.Millisecond
}

// commitPatience is the managers' CommitTimeout: its default where latencies count.
// Elsewhere none is cut short for what a busy machine does.
func commitPatience() time.Duration {
	if strict {
		return 8 * patience()
	}
	return time.Minute
}

var nodeNames = []string{"n0", "n1", "n2", "n3", "n4", "n5"}

// startNodes starts the first n nodes; args gives memcached's own to each.
func startNodes(t *testing.T, n int, args func(name string) []string) *cluster {
	t.Helper()
	c := &cluster{names: nodeNames[:n], servers: map[string]*memcachedtest.Server{}, addrs: map[string]string{}, seal: session.GenerateSealKey()}
	for _, name := range c.names {
		c.servers[name] = memcachedtest.Start(t, args(name)...)
		c.addrs[name] = c.servers[name].Addr()
	}
	return c
}

func noArgs(string) []string { return nil }

// open starts both processes, over a list of the nodes.
func (c *cluster) open(t *testing.T, names []string, lives session.Config) {
	t.Helper()
	for i := range c.processes {
		p := &process{down: map[string]bool{}}
		var err error
		p.store, err = memcached.New(memcached.Config{Nodes: c.list(names), Timeout: patience(), MaxConns: 256, Observe: p.observe})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.store.Close() })
		cfg := lives
		cfg.CommitTimeout = commitPatience()
		cfg.Name, cfg.Store, cfg.SealKeys = managerName, p.store, []session.SealKey{c.seal}
		cfg.Observe = func(context.Context, session.Event) {}
		if p.manager, err = session.NewManager(cfg); err != nil {
			t.Fatal(err)
		}
		c.processes[i] = p
	}
}

// list is what memcached.Config takes; nil for no names.
func (c *cluster) list(names []string) []string {
	var list []string
	for _, name := range names {
		list = append(list, name+"="+c.addrs[name])
	}
	return list
}

func (p *process) observe(_ context.Context, e session.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Kind {
	case session.NodeDown:
		p.down[e.Node] = true
	case session.NodeUp:
		delete(p.down, e.Node)
	}
}

func (p *process) knowsDown(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down[name]
}

// awaitDown and awaitUp wait until both processes have noticed, and say when.
func (c *cluster) awaitDown(t *testing.T, name string) time.Time {
	t.Helper()
	await.Until(t, name+" to be given up", func() bool {
		return c.processes[0].knowsDown(name) && c.processes[1].knowsDown(name)
	})
	return time.Now()
}

func (c *cluster) awaitUp(t *testing.T) time.Time {
	t.Helper()
	await.Until(t, "all nodes to be up again", func() bool {
		for _, name := range c.names {
			if c.processes[0].knowsDown(name) || c.processes[1].knowsDown(name) {
				return false
			}
		}
		return true
	})
	return time.Now()
}
