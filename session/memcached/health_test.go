package memcached_test

import (
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	a, b := memcachedtest.Start(t, "-m", "17"), memcachedtest.StartUnix(t)
	s := open(t, memcached.Config{Nodes: []string{"a=" + a.Addr(), "b=" + b.Addr()}, Timeout: time.Second})
	for _, key := range keys(20) {
		wants(t, s.Create(t.Context(), key, make([]byte, 100), time.Hour), nil)
	}
	report := s.Health(t.Context())
	if len(report) != 2 || report[0].Items+report[1].Items != 20 {
		t.Fatalf("%+v", report)
	}
	for i, server := range []*memcachedtest.Server{a, b} {
		h := report[i]
		if h.Name != string("ab"[i]) || h.Addr != server.Addr() || !h.Up || h.Err != nil || h.Connections < 2 || h.Bytes < 100*h.Items || h.Items == 0 {
			t.Errorf("%+v", h)
		}
	}
	if report[0].LimitBytes != 17<<20 {
		t.Errorf("LimitBytes is %d", report[0].LimitBytes)
	}
	b.Stop()
	for _, key := range keys(20) {
		s.Get(t.Context(), key)
	}
	if report = s.Health(t.Context()); !report[0].Up || report[1].Up || report[1].Err == nil {
		t.Errorf("%+v", report)
	}
}

func TestHealthCountsEvictions(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t, "-m", "2")
	s := open(t, memcached.Config{Nodes: []string{server.Addr()}, Timeout: 5 * time.Second})
	for _, key := range keys(200) {
		wants(t, s.Create(t.Context(), key, make([]byte, 100_000), time.Hour), nil)
	}
	if h := s.Health(t.Context())[0]; h.Evictions == 0 || h.Evictions+h.Items != 200 {
		t.Errorf("%+v", h)
	}
}
