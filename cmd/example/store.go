package main

import (
	"context"
	"io"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memory"
)

// openStore returns a store over these memcached servers, or an embedded one if
// there are none, and what closes it.
func openStore(cfg config, observe func(context.Context, session.Event)) (session.Store, io.Closer, error) {
	if len(cfg.memcached) == 0 && len(cfg.agree) == 0 {
		return new(memory.Store), io.NopCloser(nil), nil
	}
	store, err := memcached.New(memcached.Config{
		Nodes:   cfg.memcached,
		Agree:   cfg.agree,
		Timeout: cfg.memcachedTimeout,
		Observe: observe,
	})
	if err != nil {
		return nil, nil, err
	}
	return store, store, nil
}
