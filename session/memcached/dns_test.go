package memcached_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
)

// A zone says where a name leads.
type zone struct {
	mu    sync.Mutex
	addrs []string
}

func (z *zone) lookup(context.Context, string) ([]string, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.addrs == nil {
		return nil, errors.New("planted")
	}
	return z.addrs, nil
}

func (z *zone) set(addrs ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.addrs = addrs
}

// An addressed connection has a remote address.
type addressed struct {
	net.Conn
	remote string
}

func (a addressed) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.ParseIP(a.remote), Port: 11211}
}

func TestConnectionsFollowTheName(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var z zone
		f := &fake{answer: func(int, string) string { return "END\r\n" }}
		s := open(t, memcached.Config{Nodes: []string{"cache.example:11211"}, LookupHost: z.lookup,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				addrs, err := z.lookup(ctx, address)
				if err != nil {
					return nil, err
				}
				conn, err := f.dial(ctx, network, address)
				return addressed{conn, addrs[0]}, err
			}})
		defer s.Close()
		for _, step := range []struct {
			addrs       []string
			connections int
		}{
			{[]string{"10.0.0.1"}, 1},
			{[]string{"10.0.0.2", "10.0.0.1"}, 1},
			{nil, 1}, // can't be resolved
			{[]string{"10.0.0.2"}, 2},
			{[]string{"10.0.0.2"}, 2},
			{[]string{"2001:db8::1"}, 3},
		} {
			z.set(step.addrs...)
			<-time.After(31 * time.Second)
			_, _, err := s.Get(t.Context(), "k")
			wants(t, err, session.ErrNotFound)
			if n := f.connections(); n != step.connections {
				t.Errorf("after %q: %d connections, want %d", step.addrs, n, step.connections)
			}
		}
	})
}
