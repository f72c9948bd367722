package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
	"github.com/coatcheck/coatcheck/tokens"
)

const (
	issuer     = "coatcheck-example" // in every token
	tokenField = "token"             // of a JSON body that shows one

	maxHeaderBytes = 64 << 10
	drainTimeout   = 10 * time.Second
)

// app is what the handlers share.
type app struct {
	mw      *chimw.Middleware
	nodes   *nodes
	log     *slog.Logger
	handler http.Handler // all of this, for asking itself
	counter getCounter
	turn    chan struct{}
	forger  forger
	header  string // where clients show a token
	idle    time.Duration
	secure  bool
}

// server is the program, ready to listen.
type server struct {
	http    *http.Server
	metrics *metricsServer
	store   io.Closer
	log     *slog.Logger
	keys    bool // whether they were given
}

// build wires everything up. It goes on after a mistake, to report all of them.
func build(cfg config, log *slog.Logger) (*server, error) {
	ring, keysErr := parseKeys(cfg)
	if keysErr != nil {
		ring, _ = parseKeys(config{})
	}
	counted := newMetrics(session.DefaultName, publicNames(cfg.memcached, cfg.agree))
	observe := observer(counted, log)
	store, closer, storeErr := openStore(cfg, observe)
	if storeErr != nil {
		store = new(memory.Store)
	}
	timed := counted.measure(store)
	asked := newNodes(store, log)
	counted.registry.MustRegister(nodeCollector{asked})
	manager, managerErr := session.NewManager(session.Config{
		Store:       timed,
		IdleTimeout: cfg.idle,
		Lifetime:    cfg.lifetime,
		SealKeys:    ring.seal,
		Observe:     observe,
	})
	external, externalErr := openExternal(cfg.apiKeys, ring.external)
	signer, signerErr := tokens.NewSigner(tokens.Config{Issuer: issuer, Keys: ring.sign})
	tlsConfig, tlsErr := loadTLS(cfg.tlsCert, cfg.tlsKey)
	a := &app{
		nodes: asked, log: log, counter: counterOf(store, timed), turn: make(chan struct{}, 1),
		forger: forger{ring.sign[0], manager.Name()}, header: cfg.header, idle: cfg.idle, secure: cfg.secure,
	}
	mwErr := a.mount(manager, signer, external)
	if err := errors.Join(keysErr, storeErr, externalErr, managerErr, signerErr, mwErr, tlsErr); err != nil {
		return nil, err
	}
	a.handler = a.routes()
	s := &server{
		http:    newHTTPServer(a.handler, log),
		metrics: &metricsServer{cfg.metricsAddr, newHTTPServer(counted.handler(log), log), log},
		store:   closer,
		log:     log,
		keys:    cfg.keys != "",
	}
	s.http.TLSConfig = tlsConfig
	return s, nil
}

// mount makes the middleware.
func (a *app) mount(manager *session.Manager, signer *tokens.Signer, external chimw.External) (err error) {
	a.mw, err = chimw.New(chimw.Config{
		Manager:        manager,
		Tokens:         signer,
		External:       external,
		Header:         a.header,
		BodyField:      tokenField,
		InsecureCookie: !a.secure,
		ErrorHandler:   a.refuse,
	})
	return err
}

// openExternal returns nil, which refuses all external tokens, for no keys.
func openExternal(apiKeys []string, key tokens.Key) (chimw.External, error) {
	if len(apiKeys) == 0 {
		return nil, nil
	}
	names := make(map[string]string)
	for _, k := range apiKeys {
		names[k] = "" // named after its hash
	}
	verify, err := tokens.APIKeys(names)
	if err != nil {
		return nil, err
	}
	return tokens.NewExternal(tokens.ExternalConfig{Key: key, Verify: verify})
}

func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// serve answers until ctx ends, and then for as long as it takes to answer what
// was asked before, at most drainTimeout.
func (s *server) serve(ctx context.Context, addr string) error {
	defer s.store.Close() // last of all: requests need it to their end
	stopMetrics, err := s.metrics.start(ctx)
	if err != nil {
		return err
	}
	defer stopMetrics()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("%w (try -addr 127.0.0.1:0, which takes a free port)", err)
	}
	if !s.keys {
		s.log.Warn("COATCHECK_KEYS is not set: using a random key; no session or token survives a restart, and no other process can share them")
	}
	scheme, serve := "http://", s.http.Serve
	if s.http.TLSConfig != nil {
		scheme, serve = "https://", func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
	}
	s.log.Info("listening", "url", scheme+listener.Addr().String())
	failed := make(chan error, 1)
	go func() { failed <- serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.log.Info("shutting down")
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := s.http.Shutdown(drain); err != nil {
		_ = s.http.Close()
		s.log.Warn("requests were cut off: they took too long to finish", "after", drainTimeout)
	}
	return nil
}
