package memcached

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/coatcheck/coatcheck/session"
)

const (
	// maxFlying is how many gets, or batches that are not full, are in flight to
	// a node before others wait. With one, a slow answer would hold up everybody;
	// from three on, what is saved by gathering gets less (BenchmarkGathered).
	maxFlying = 2

	// maxFull is how many are in flight if those that wait are full batches, as
	// to wait would fill them no more, or have waited for long; while they are
	// small, as many as it takes to have a get in flight for each connection that
	// there may be.
	maxFull = 8

	// A batch has at first firstBatch gets, and at most maxBatch, a line of 6 KiB
	// with session keys; but no more than bring back about maxBatchBytes. So as
	// long as it is not known how large values are, no more of them are in flight
	// than DefaultMaxConns would have, and then some 2 MiB: what a network can't
	// carry in time waits here rather than there.
	firstBatch    = 4
	maxBatch      = 64
	maxBatchBytes = 256 << 10
)

var errCrowd = errors.New("too many gets were before this one")

// A gatherer has gets that come while others are in flight wait until one of
// those is back, and then ride in one command. A get that finds few in flight
// goes at once, and alone. None ever joins what has been sent: it could return
// what was true before it was asked.
type gatherer struct {
	mu      sync.Mutex
	flying  int      // gets and batches
	gets    int      // that those are
	waiting []*batch // unsent, in the order of their beginning; empty unless maxFlying fly
	most    int      // gets to a batch

	atOnce   int           // gets that may be in flight in any case
	patience time.Duration // to wait for a batch to be full
}

// A batch belongs to none of those who wait for it: it is sent in a goroutine of
// its own, and one who leaves takes nothing from the others.
type batch struct {
	began time.Time
	keys  []string
	items []memcache.Item // as keys; zero where nothing was found
	err   error
	done  chan struct{} // closed when items and err are there
}

// join returns the batch that a get rides in, and its place there; or nil if the
// get may go at once, after which its caller calls land. Ready is a batch that is
// to be sent now.
func (g *gatherer) join(key string) (b *batch, place int, ready *batch) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.flying < maxFlying {
		g.flying, g.gets = g.flying+1, g.gets+1
		return nil, 0, nil
	}
	last := len(g.waiting) - 1
	if last < 0 || g.full(g.waiting[last]) {
		g.waiting = append(g.waiting, &batch{began: time.Now(), keys: make([]string, 0, g.most), done: make(chan struct{})})
		last++
	}
	b = g.waiting[last]
	b.keys = append(b.keys, key)
	return b, len(b.keys) - 1, g.take()
}

// land says that something is back, and returns what is to be sent now.
func (g *gatherer) land(gets int) (ready []*batch) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.flying, g.gets = g.flying-1, g.gets-gets
	for b := g.take(); b != nil; b = g.take() {
		ready = append(ready, b)
	}
	return ready
}

// take returns the first batch that waits, if it may go.
func (g *gatherer) take() *batch {
	if len(g.waiting) == 0 {
		return nil
	}
	b := g.waiting[0]
	grown := len(g.waiting) > 1 || g.full(b) || time.Since(b.began) > g.patience
	if g.flying >= maxFlying && !(grown && (g.flying < maxFull || g.gets < g.atOnce)) {
		return nil
	}
	g.waiting[0] = nil
	g.waiting = g.waiting[1:]
	g.flying, g.gets = g.flying+1, g.gets+len(b.keys)
	return b
}

func (g *gatherer) full(b *batch) bool { return len(b.keys) >= g.most }

// size fits the next batches to what became of one.
func (g *gatherer) size(b *batch) {
	bytes := 0
	for i := range b.items {
		bytes += len(b.items[i].Value)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case errors.Is(b.err, os.ErrDeadlineExceeded):
		g.most = max(1, g.most/2)
	case b.err == nil:
		g.most = max(1, min(2*g.most, maxBatch, maxBatchBytes*len(b.keys)/max(1, bytes)))
	}
}

// get returns what the node has under key. It is made again once.
func (n *node) get(ctx context.Context, key string) (*memcache.Item, error) {
	if n.state.Load().down != nil {
		return n.getAlone(ctx, key) // which fails at once, rather than wait behind what waits in vain
	}
	b, place, ready := n.gets.join(key)
	if b == nil {
		defer n.land(1)
		return n.getAlone(ctx, key)
	}
	if ready != nil {
		go n.send(ready)
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		return nil, &nodeError{n.name, ctx.Err()}
	}
	switch item := &b.items[place]; {
	case item.CasID != 0 && !errors.Is(b.err, errAnswer): // all may be out of step
		return item, nil
	case b.err == nil:
		return nil, session.ErrNotFound
	case n.state.Load().down == nil && !errors.Is(b.err, errCrowd):
		// What makes no sense may be due to another one's key, and what is late
		// to another one's value.
		ctx, cancel := context.WithDeadline(ctx, n.latest(b))
		defer cancel()
		return n.getAlone(ctx, key)
	default:
		return nil, b.err
	}
}

func (n *node) getAlone(ctx context.Context, key string) (*memcache.Item, error) {
	keys, items := [1]string{key}, [1]memcache.Item{}
	_, err := n.twice(ctx, func(l *link) error { return l.gets(keys[:], items[:]) })
	switch {
	case err != nil:
		return nil, err
	case items[0].CasID == 0:
		return nil, session.ErrNotFound
	default:
		return &items[0], nil
	}
}

// latest is when a get that rides in a batch must have ended, as if it had gone
// alone: a timeout for its turn, and one for the call.
func (n *node) latest(b *batch) time.Time { return b.began.Add(2 * n.timeout) }

func (n *node) send(b *batch) {
	b.items = make([]memcache.Item, len(b.keys))
	b.err = n.getTogether(b)
	n.gets.size(b)
	n.land(len(b.keys)) // first: the others' wait is longer
	close(b.done)
}

func (n *node) land(gets int) {
	for _, b := range n.gets.land(gets) {
		go n.send(b)
	}
}

func (n *node) getTogether(b *batch) error {
	if time.Since(b.began) >= n.timeout { // too little is left for the call
		return &nodeError{n.name, errCrowd}
	}
	ctx, cancel := context.WithDeadline(context.Background(), n.latest(b))
	defer cancel()
	_, err := n.twice(ctx, func(l *link) error { return l.gets(b.keys, b.items) })
	return err
}
