package memcached

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/coatcheck/coatcheck/session"
)

// maxBatch is how many gets ride in one multi-get: a line of 6 KiB with session
// keys, and at most so many values to wait for behind each other.
const maxBatch = 64

// A gatherer has gets that come while one is in flight wait for its end, and
// then ride in one multi-get. A get that finds none in flight goes at once, and
// alone. None ever joins what has been sent: it could return what was true
// before it was asked.
type gatherer struct {
	mu      sync.Mutex
	busy    bool     // a get, or a batch, is in flight
	waiting []*batch // unsent, in the order of their beginning
}

// A batch belongs to none of those who wait for it: it is sent in a goroutine of
// its own, and one who leaves takes nothing from the others.
type batch struct {
	keys   []string
	shared bool // by two who want the same key
	items  map[string]*memcache.Item
	err    error
	done   chan struct{} // closed when items and err are there
}

// join returns nil if the get may go at once; its caller calls next after it.
func (g *gatherer) join(key string) *batch {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.busy {
		g.busy = true
		return nil
	}
	last := len(g.waiting) - 1
	if last < 0 || len(g.waiting[last].keys) == maxBatch {
		g.waiting = append(g.waiting, &batch{done: make(chan struct{})})
		last++
	}
	b := g.waiting[last]
	b.shared = b.shared || slices.Contains(b.keys, key)
	b.keys = append(b.keys, key)
	return b
}

// next returns the batch that is to be sent, if there is one.
func (g *gatherer) next() *batch {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.busy = false
		return nil
	}
	b := g.waiting[0]
	g.waiting = slices.Delete(g.waiting, 0, 1)
	return b
}

// get returns what the node has under key. It is made again once.
func (n *node) get(ctx context.Context, key string) (*memcache.Item, error) {
	b := n.gets.join(key)
	if b == nil {
		defer n.sendNext()
		return n.getAlone(ctx, key)
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("memcached: node %s: %w", n.name, ctx.Err())
	}
	switch item := b.items[key]; {
	case b.err != nil && n.state.Load().down == nil && !errors.Is(b.err, os.ErrDeadlineExceeded):
		// An answer that made no sense may be due to another one's key.
		return n.getAlone(ctx, key)
	case b.err != nil:
		return nil, b.err
	case item == nil:
		return nil, session.ErrNotFound
	default:
		return b.own(item), checkItem(item, key)
	}
}

// own returns an item whose value belongs to the caller.
func (b *batch) own(item *memcache.Item) *memcache.Item {
	if !b.shared {
		return item
	}
	mine := *item
	mine.Value = bytes.Clone(item.Value)
	return &mine
}

func (n *node) sendNext() {
	if b := n.gets.next(); b != nil {
		go n.send(b)
	}
}

// send sends batches until none is waiting.
func (n *node) send(b *batch) {
	for ; b != nil; b = n.gets.next() {
		_, b.err = n.twice(context.Background(), func(c *memcache.Client) (err error) {
			if b.items, err = c.GetMulti(b.keys); err != nil {
				return err
			}
			for key := range b.items {
				if !slices.Contains(b.keys, key) {
					return fmt.Errorf("asked for %d keys, got %q", len(b.keys), key)
				}
			}
			return nil
		})
		close(b.done)
	}
}
