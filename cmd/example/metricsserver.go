package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
)

// metricsServer answers GET /metrics, on an address of its own and on none unless
// it was given one. What is counted is no secret of anybody's, but it is not for
// clients either: the reasons of rejections would tell who guesses whether a
// session was never known, has ended, or was only shown with the wrong secret,
// which the answers to guesses take care to hide. And a port that only operators
// reach needs no password that somebody has to keep.
type metricsServer struct {
	addr string // "": none
	http *http.Server
	log  *slog.Logger
}

// start listens, and returns what ends that.
func (s *metricsServer) start(ctx context.Context) (stop func(), err error) {
	if s.addr == "" {
		return func() {}, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.addr)
	if err != nil {
		return nil, err
	}
	s.log.Info("serving metrics", "url", "http://"+listener.Addr().String()+"/metrics")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("metrics are not served any more", "error", err) // sessions are
		}
	}()
	return func() {
		_ = s.http.Close() // a scrape that is cut off comes again
		<-ended
	}, nil
}
