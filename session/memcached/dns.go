package memcached

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"
)

// resolveEvery is how often the nodes' host names are resolved again.
const resolveEvery = 30 * time.Second

// resolveNames makes connections follow the nodes' names until the store is
// closed. A new connection resolves its name by itself; what could stay behind
// are idle ones, to a machine that still answers but is not meant any more.
func (s *Store) resolveNames() {
	tick := time.NewTicker(resolveEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			for _, n := range s.lists().all() {
				n.follow()
			}
		case <-s.done:
			return
		}
	}
}

// follow closes the idle connections to addresses that the node's name does not
// stand for any more. A name that can't be resolved now says nothing.
func (n *node) follow() {
	host, _, err := net.SplitHostPort(n.addr)
	if _, literal := netip.ParseAddr(host); n.network != "tcp" || err != nil || literal == nil || !n.idles() {
		return
	}
	ctx, cancel := context.WithTimeout(n.wanted, resolveEvery/2)
	defer cancel()
	if addrs, err := n.lookup(ctx, host); err == nil && len(addrs) > 0 {
		n.forget(func(l *link) bool {
			remote, _, err := net.SplitHostPort(l.RemoteAddr().String())
			return err == nil && !slices.Contains(addrs, remote)
		})
	}
}

func (n *node) idles() bool {
	n.pool.Lock()
	defer n.pool.Unlock()
	return len(n.idle) > 0
}

// forget closes the idle links that are to be.
func (n *node) forget(which func(*link) bool) {
	n.pool.Lock()
	defer n.pool.Unlock()
	n.idle = slices.DeleteFunc(n.idle, func(l *link) bool {
		gone := which(l)
		if gone {
			l.Close()
		}
		return gone
	})
}
