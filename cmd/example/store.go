package main

import (
	"io"
	"log/slog"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
)

// openStore returns a store over these memcached servers, or an embedded one if
// there are none, and what closes it.
func openStore(cfg config, log *slog.Logger) (session.Store, io.Closer, error) {
	if len(cfg.memcached) == 0 && len(cfg.agree) == 0 {
		return new(countedStore), io.NopCloser(nil), nil
	}
	store, err := memcached.New(memcached.Config{
		Nodes:   cfg.memcached,
		Agree:   cfg.agree,
		Observe: session.LogEvents(log),
	})
	if err != nil {
		return nil, nil, err
	}
	return store, store, nil
}
