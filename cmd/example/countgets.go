package main

import (
	"context"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
)

// counterOf returns what counts a store's gets: memcached itself, or else who
// measures the store.
func counterOf(store session.Store, timed *measured) getCounter {
	if m, ok := store.(*memcached.Store); ok {
		return nodeGets{m}
	}
	return timed
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
