package memcached_test

import (
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
	"github.com/coatcheck/coatcheck/session/storetest"
)

// transports are the ways to reach a node. Each starts one and returns it with
// what a store needs to reach it.
var transports = map[string]func(t *testing.T) (*memcachedtest.Server, memcached.Config){
	"tcp": func(t *testing.T) (*memcachedtest.Server, memcached.Config) {
		return startBy(t, nil, memcachedtest.Config.Start)
	},
	"unix": func(t *testing.T) (*memcachedtest.Server, memcached.Config) {
		return startBy(t, nil, memcachedtest.Config.StartUnix)
	},
	"TLS": func(t *testing.T) (*memcachedtest.Server, memcached.Config) {
		a := newAuthority(t)
		return startBy(t, a.trusted().DialContext, memcachedtest.Config.Start, a.flags(t)...)
	},
	"TLS with client certificates": func(t *testing.T) (*memcachedtest.Server, memcached.Config) {
		a := newAuthority(t)
		return startBy(t, a.trusted(a.client(t)).DialContext, memcachedtest.Config.Start, a.askingFlags(t)...)
	},
	"tcp with a password": func(t *testing.T) (*memcachedtest.Server, memcached.Config) {
		return startBy(t, authenticated(t, nil), memcachedtest.Config.Start, "-Y", passwords(t))
	},
	"unix with a password": func(t *testing.T) (*memcachedtest.Server, memcached.Config) {
		return startBy(t, authenticated(t, nil), memcachedtest.Config.StartUnix, "-Y", passwords(t))
	},
	"TLS with a password": func(t *testing.T) (*memcachedtest.Server, memcached.Config) {
		a := newAuthority(t)
		return startBy(t, authenticated(t, a.trusted().DialContext), memcachedtest.Config.Start, append(a.flags(t), "-Y", passwords(t))...)
	},
}

func startBy(t *testing.T, dial dialContext, start func(memcachedtest.Config, testing.TB, ...string) *memcachedtest.Server, args ...string) (*memcachedtest.Server, memcached.Config) {
	t.Helper()
	server := start(memcachedtest.Config{DialContext: dial}, t, args...)
	// The machine may be busy.
	return server, memcached.Config{Nodes: []string{"n=" + server.Addr()}, DialContext: dial, Timeout: 5 * time.Second}
}

func TestConformanceOverTransports(t *testing.T) {
	t.Parallel()
	// TestConformance has tcp, and each of these takes seconds.
	for _, name := range []string{"unix", "TLS with client certificates", "TLS with a password"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, cfg := transports[name](t)
			storetest.Run(t, func(t *testing.T) session.Store { return open(t, cfg) })
		})
	}
}

func TestHealthOverTransports(t *testing.T) {
	t.Parallel()
	for name, start := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, cfg := start(t)
			s := open(t, cfg)
			wants(t, s.Create(t.Context(), "k", nil, time.Hour), nil)
			if h := s.Health(t.Context())[0]; h.Err != nil || !h.Up || h.Items != 1 || h.Addr != server.Addr() {
				t.Errorf("%+v", h)
			}
			server.Stop()
			if h := s.Health(t.Context())[0]; h.Err == nil || h.Items != 0 {
				t.Errorf("a stopped node: %+v", h)
			}
		})
	}
}

func TestPausedNodeOverTransports(t *testing.T) {
	t.Parallel()
	const timeout = 200 * time.Millisecond
	for name, start := range transports {
		for which, warm := range map[string]bool{"pooled": true, "fresh": false} {
			t.Run("M10 a "+which+" connection over "+name, func(t *testing.T) {
				t.Parallel()
				server, cfg := start(t)
				cfg.Timeout = timeout
				s := open(t, cfg)
				if warm {
					await.Until(t, "a connection", func() bool { return s.Delete(t.Context(), "k") == nil })
				}
				server.Pause()
				began := time.Now()
				unknown(t, s.Create(t.Context(), "k", nil, time.Hour))
				if took := time.Since(began); took < timeout/2 || took > 10*timeout {
					t.Errorf("it took %v, the timeout is %v", took, timeout)
				}
				began = time.Now()
				unknown(t, s.Create(t.Context(), "k", nil, time.Hour))
				if took := time.Since(began); took > timeout/2 {
					t.Errorf("the next call took %v, want almost nothing", took)
				}
				server.Resume()
				await.Until(t, "an answer", func() bool { return s.Create(t.Context(), "another", nil, time.Hour) == nil })
			})
		}
	}
}

// credentials that nodes of these tests want.
const username, password = "coatcheck", "s3cr3t:/?"

// passwords writes a file of them for memcached -Y.
func passwords(t *testing.T) string {
	t.Helper()
	return file(t, []byte("somebody:else\n"+username+":"+password+"\n"))
}

func authenticated(t *testing.T, dial dialContext) dialContext {
	t.Helper()
	return authenticatedAs(t, dial, password)
}

func authenticatedAs(t *testing.T, dial dialContext, password string) dialContext {
	t.Helper()
	dial, err := memcached.Authenticated(dial, username, password)
	if err != nil {
		t.Fatal(err)
	}
	return dial
}
