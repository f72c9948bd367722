package main

import (
	"context"
	"sync/atomic"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memory"
)

// countedStore is the embedded store, and counts what it is asked for.
type countedStore struct {
	memory.Store

	asked atomic.Uint64
}

func (c *countedStore) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	c.asked.Add(1)
	return c.Store.Get(ctx, key)
}

func (c *countedStore) gets(context.Context) (uint64, error) { //nolint:unparam // other counters fail
	return c.asked.Load(), nil
}

// counterOf returns what counts a store's gets, or nil.
func counterOf(store session.Store) getCounter {
	switch s := store.(type) {
	case getCounter:
		return s
	case *memcached.Store:
		return nodeGets{s}
	default:
		return nil
	}
}

// nodeGets is memcached's own count, of all its nodes and of all its clients.
type nodeGets struct{ store *memcached.Store }

func (n nodeGets) gets(ctx context.Context) (sum uint64, err error) {
	for _, h := range n.store.Health(ctx) {
		if h.Err != nil {
			return 0, h.Err // a sum without one of them says nothing
		}
		sum += h.Gets
	}
	return sum, nil
}
