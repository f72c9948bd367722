package main

import (
	"io"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memory"
)

// openStore returns a store over these memcached servers, or an embedded one if
// there are none, and what closes it.
func openStore(nodes []string) (session.Store, io.Closer, error) {
	if len(nodes) == 0 {
		return new(memory.Store), io.NopCloser(nil), nil
	}
	store, err := memcached.New(memcached.Config{Nodes: nodes})
	if err != nil {
		return nil, nil, err
	}
	return store, store, nil
}
