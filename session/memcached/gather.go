package memcached

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/coatcheck/coatcheck/session"
)

const (
	// maxFlying is how many gets, or batches of them, are in flight to a node
	// before others wait. With one, a slow answer would hold up everybody; from
	// three on, what is saved by gathering gets less (BenchmarkGathered).
	maxFlying = 2

	// maxBatch is how many gets ride in one command: a line of 6 KiB with
	// session keys.
	maxBatch = 64

	// maxBatchBytes is about how much one command is to bring back, so that on a
	// slow network no get times out for those that it rides with.
	maxBatchBytes = 256 << 10
)

// A gatherer has gets that come while others are in flight wait until one of
// those is back, and then ride in one command. A get that finds none in flight
// goes at once, and alone. None ever joins what has been sent: it could return
// what was true before it was asked.
type gatherer struct {
	mu      sync.Mutex
	flying  int      // at most maxFlying
	waiting []*batch // unsent, in the order of their beginning; empty unless maxFlying fly
	most    int      // keys to a batch, by what the last one brought; 0 is maxBatch
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

// join returns the batch that a get rides in, and its place there; nil if the
// get may go at once. Its caller calls next after it.
func (g *gatherer) join(key string) (*batch, int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.flying < maxFlying {
		g.flying++
		return nil, 0
	}
	most := maxBatch
	if g.most > 0 {
		most = g.most
	}
	last := len(g.waiting) - 1
	if last < 0 || len(g.waiting[last].keys) >= most {
		g.waiting = append(g.waiting, &batch{began: time.Now(), keys: make([]string, 0, 8), done: make(chan struct{})})
		last++
	}
	b := g.waiting[last]
	b.keys = append(b.keys, key)
	return b, len(b.keys) - 1
}

// next returns the batch that is to be sent, if there is one.
func (g *gatherer) next() *batch {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.flying--
		return nil
	}
	b := g.waiting[0]
	g.waiting[0] = nil
	g.waiting = g.waiting[1:]
	return b
}

// brought sizes the next batches by what one has brought.
func (g *gatherer) brought(b *batch) {
	bytes := 0
	for i := range b.items {
		bytes += len(b.items[i].Value)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.most = maxBatch
	if bytes > 0 {
		g.most = max(1, min(maxBatch, maxBatchBytes*len(b.keys)/bytes))
	}
}

// get returns what the node has under key. It is made again once.
func (n *node) get(ctx context.Context, key string) (*memcache.Item, error) {
	if n.state.Load().down != nil {
		return n.getAlone(ctx, key) // which fails at once, rather than wait behind what waits in vain
	}
	b, i := n.gets.join(key)
	if b == nil {
		defer n.sendNext()
		return n.getAlone(ctx, key)
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("memcached: node %s: %w", n.name, ctx.Err())
	}
	switch item := &b.items[i]; {
	case item.CasID != 0:
		return item, nil
	case b.err == nil:
		return nil, session.ErrNotFound
	case n.state.Load().down == nil && !errors.Is(b.err, os.ErrDeadlineExceeded) && !errors.Is(b.err, errBusy):
		return n.getAlone(ctx, key) // an answer that made no sense may be due to another one's key
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

func (n *node) sendNext() {
	if b := n.gets.next(); b != nil {
		go n.send(b)
	}
}

// send sends batches until none is waiting.
func (n *node) send(b *batch) {
	for ; b != nil; b = n.gets.next() {
		b.items = make([]memcache.Item, len(b.keys))
		_, b.err = n.do(context.Background(), n.timeout-time.Since(b.began), true, func(l *link) error { return l.gets(b.keys, b.items) })
		if b.err == nil {
			n.gets.brought(b)
		}
		close(b.done)
	}
}
