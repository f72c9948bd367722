package memcached_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// A node that can't prove who it is gets to see neither a session nor a key.
func TestNodeThatIsNotTrusted(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	server := a.start(t)
	for what, test := range map[string]struct {
		dialer *tls.Dialer
		as     func(error) bool
	}{
		"another authority": {newAuthority(t).trusted(), func(err error) bool {
			var want x509.UnknownAuthorityError
			return errors.As(err, &want)
		}},
		"another name": {named("node.example", a.trusted()), func(err error) bool {
			var want x509.HostnameError
			return errors.As(err, &want)
		}},
	} {
		t.Run(what, func(t *testing.T) {
			o := new(observer)
			s := open(t, memcached.Config{Nodes: []string{server.Addr()}, DialContext: test.dialer.DialContext, Observe: o.observe, Timeout: 5 * time.Second})
			for name, call := range methods {
				err := call(t.Context(), s, "k", time.Hour)
				unknown(t, err)
				if !test.as(err) {
					t.Errorf("%s: %v does not say why", name, err)
				}
			}
			if s.Available("k") {
				t.Error("the node counts as available")
			}
			await.Until(t, "an event", func() bool { return len(o.seen()) > 0 })
			if e := o.first(); e.Kind != session.NodeDown || !test.as(e.Err) {
				t.Errorf("event %v: %v", e.Kind, e.Err)
			}
			if h := s.Health(t.Context())[0]; h.Up || !test.as(h.Err) {
				t.Errorf("%+v", h)
			}
		})
	}
	untouched(t, server)
}

func named(name string, d *tls.Dialer) *tls.Dialer {
	d.Config.ServerName = name
	return d
}

// untouched checks that no command on keys has reached a server.
func untouched(t *testing.T, server *memcachedtest.Server) {
	t.Helper()
	for _, stat := range []string{"cmd_get", "cmd_set", "cas_misses", "delete_misses", "total_items"} {
		if n := server.Stat(t, stat); n != 0 {
			t.Errorf("the node counts %s: %d", stat, n)
		}
	}
}

// Whoever has no certificate that the node wants is refused. By TLS 1.2 the
// handshake fails and says so; by 1.3 the client's side of it is over before the
// node has looked at the certificate, and what the node says then may be lost
// with the connection.
func TestClientWithoutItsCertificate(t *testing.T) {
	t.Parallel()
	a, other := newAuthority(t), newAuthority(t)
	server := a.startAsking(t)
	for what, test := range map[string]struct {
		dial   dialContext
		reason string // part of the error, where that is certain
	}{
		"none":                    {a.trusted().DialContext, ""},
		"another's":               {a.trusted(other.client(t)).DialContext, ""},
		"a node's":                {a.trusted(a.node(t)).DialContext, ""},
		"none by TLS 1.2":         {oldest(a.trusted()).DialContext, "remote error: tls: "},
		"another's by TLS 1.2":    {oldest(a.trusted(other.client(t))).DialContext, "remote error: tls: "},
		"nothing, and not by TLS": {nil, ""},
	} {
		t.Run(what, func(t *testing.T) {
			o := new(observer)
			s := open(t, memcached.Config{Nodes: []string{server.Addr()}, DialContext: test.dial, Observe: o.observe, Timeout: 5 * time.Second})
			for name, call := range methods {
				err := call(t.Context(), s, "k", time.Hour)
				unknown(t, err)
				if err != nil && !strings.Contains(err.Error(), test.reason) {
					t.Errorf("%s: %v, want %q", name, err, test.reason)
				}
			}
			if s.Available("k") {
				t.Error("the node counts as available")
			}
			await.Until(t, "an event", func() bool { return len(o.seen()) > 0 })
			if h := s.Health(t.Context())[0]; h.Err == nil || h.Up {
				t.Errorf("%+v", h)
			}
		})
	}
	untouched(t, server)
}

func oldest(d *tls.Dialer) *tls.Dialer {
	d.Config.MaxVersion = tls.VersionTLS12
	return d
}

// A node that accepts connections, and then does not speak.
func TestHandshakeThatIsNotAnswered(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	const timeout = 100 * time.Millisecond
	cfg := memcached.Config{Nodes: []string{l.Addr().String()}, DialContext: newAuthority(t).trusted().DialContext}
	t.Run("M10 a handshake costs at most the timeout", func(t *testing.T) {
		cfg := cfg
		cfg.Timeout = timeout
		s := open(t, cfg)
		began := time.Now()
		unknown(t, s.Create(t.Context(), "k", nil, time.Hour))
		if took := time.Since(began); took < timeout/2 || took > 10*timeout {
			t.Errorf("it took %v, the timeout is %v", took, timeout)
		}
	})
	t.Run("the context ends a handshake", func(t *testing.T) {
		cfg := cfg
		cfg.Timeout = time.Minute
		s := open(t, cfg)
		ctx, cancel := cancelAfter(t.Context(), timeout)
		defer cancel()
		wants(t, s.Create(ctx, "k", nil, time.Hour), context.Canceled)
		if !s.Available("k") {
			t.Error("the node counts as failing because a caller has left")
		}
	})
}

// A TLS connection is of no use after a write that was cut short, and its Close
// would wait for 5 seconds to say so. The first connection's node reads one
// command and then no more.
func TestWriteThatIsCutShort(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	cert := a.node(t)
	for _, cancelled := range []bool{false, true} {
		t.Run(map[bool]string{true: "the context ends a write", false: "M10 a write costs at most the timeout"}[cancelled], func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{answer: func(int, string) string { return "STORED\r\n" }}
				end := make(chan struct{})
				defer close(end)
				conns := 0
				dial := overTLS(a, func(conn net.Conn) {
					conns++
					if conns == 1 {
						deafAfterAGet(tlsNode(conn, cert), end)
						return
					}
					f.serve(conns, tlsNode(conn, cert))
				})
				s := open(t, memcached.Config{Nodes: []string{"fake.example:11211"}, DialContext: dial})
				defer s.Close()
				_, _, err := s.Get(t.Context(), "k")
				wants(t, err, session.ErrNotFound)
				ctx, want := t.Context(), memcached.DefaultTimeout
				if cancelled {
					want = 10 * time.Millisecond
					var cancel context.CancelFunc
					ctx, cancel = cancelAfter(ctx, want)
					defer cancel()
				}
				began := time.Now()
				unknown(t, s.Create(ctx, "k", make([]byte, 100_000), time.Hour))
				if took := time.Since(began); took != want {
					t.Errorf("it took %v, want %v", took, want)
				}
				synctest.Wait() // the node was found again
				wants(t, s.Create(t.Context(), "k", nil, time.Hour), nil)
			})
		})
	}
}

// overTLS returns a dialer whose connections lead to serve.
func overTLS(a authority, serve func(net.Conn)) dialContext {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		client, node := net.Pipe()
		go serve(node)
		conn := tls.Client(client, named("127.0.0.1", a.trusted()).Config)
		return conn, conn.HandshakeContext(ctx)
	}
}

func tlsNode(conn net.Conn, cert tls.Certificate) *tls.Conn {
	return tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13})
}

// deafAfterAGet serves one get.
func deafAfterAGet(c net.Conn, end <-chan struct{}) {
	c.Read(make([]byte, 4096))
	io.WriteString(c, "END\r\n")
	<-end
	c.Close()
}

// The same with a real node, over a connection with hardly any buffer.
func TestLargeValueToAPausedNodeOverTLS(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	server := a.start(t)
	const timeout = 250 * time.Millisecond
	s := open(t, memcached.Config{Nodes: []string{server.Addr()}, Timeout: timeout,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			raw, err := new(net.Dialer).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			raw.(*net.TCPConn).SetWriteBuffer(4096)
			conn := tls.Client(raw, named("127.0.0.1", a.trusted()).Config)
			return conn, conn.HandshakeContext(ctx)
		}})
	await.Until(t, "a connection", func() bool { return s.Delete(t.Context(), "k") == nil })
	server.Pause()
	t.Run("M10 a large value costs at most the timeout", func(t *testing.T) {
		began := time.Now()
		unknown(t, s.Create(t.Context(), "k", make([]byte, 1_000_000), time.Hour))
		if took := time.Since(began); took < timeout/2 || took > 10*timeout {
			t.Errorf("it took %v, the timeout is %v", took, timeout)
		}
	})
}

// A client that resumes TLS sessions meets a node that has forgotten them.
func TestRestartForgetsTLSSessions(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	dialer := a.trusted()
	dialer.Config.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	server := memcachedtest.Config{DialContext: a.trusted().DialContext}.Start(t, append(a.flags(t), "-o", "ssl_session_cache")...)
	s := open(t, memcached.Config{Nodes: []string{server.Addr()}, DialContext: dialer.DialContext, Timeout: 5 * time.Second})
	wants(t, s.Create(t.Context(), "k", nil, time.Hour), nil)
	warm(t, server, s)
	server.Restart()
	t.Run("M9 a Create after a restart with a TLS session kept", func(t *testing.T) {
		wants(t, s.Create(t.Context(), "k", nil, time.Hour), nil)
	})
}
