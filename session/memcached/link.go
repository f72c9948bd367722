package memcached

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
)

// A link is one connection to a node, with a gomemcache client of its own that
// has no other connection. That client speaks the protocol; which connection a
// call gets, how long it may take and what becomes of the connection is decided
// here. For gomemcache takes no context and says nothing about the connection
// that it picked.
//
// A link serves one call at a time and has no lock.
type link struct {
	net.Conn
	client    *memcache.Client
	interrupt func() // ends the call under way; made once, for it is needed by each call

	in  *bufio.Reader // of gets and of puts that go together; nil until there are any
	out []byte

	open *atomic.Int64 // counts the node's links

	handed bool // the client has the connection
	closed bool // the client, or the node, has closed it
	heard  bool // the node has answered at least a byte to this call
	unsent bool // a write failed, so that the node never saw this call whole
	spoilt bool // its context ended, so that its deadline is no longer ours
}

func newLink(conn net.Conn, open *atomic.Int64) *link {
	open.Add(1)
	l := &link{Conn: conn, open: open, client: memcache.NewFromSelector(onlyNode{})}
	l.client.MaxIdleConns = 1
	l.client.DialContext = l.handOver
	l.interrupt = func() { conn.SetDeadline(time.Unix(1, 0)) }
	return l
}

// handOver gives gomemcache the connection when it wants to make its first. If
// it wants another, it has closed that one, and the link is at its end.
func (l *link) handOver(context.Context, string, string) (net.Conn, error) {
	if l.handed {
		return nil, net.ErrClosed
	}
	l.handed = true
	return l, nil
}

// call has f make one call, which ends by the deadline, or when
// ctx does. Whatever the node sends meanwhile, and however slowly, no call
// takes longer, as each step's own timeout in gomemcache would allow.
//
// It runs in the caller's goroutine, so that nothing of the caller's is in use
// after it has returned.
func (l *link) call(ctx context.Context, deadline time.Time, f func(*link) error) error {
	l.heard, l.unsent = false, false
	l.Conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, l.interrupt)
	err := f(l)
	l.spoilt = !stop()
	return err
}

// usable reports whether another call can be made. gomemcache closes the
// connection after every answer that it can't sort, for all may be out of step.
func (l *link) usable() bool { return !l.closed && !l.spoilt }

// stale reports whether a call that failed on a pooled link found it dead, as
// they all are after a node's restart: not a byte came, and the connection is
// over rather than slow.
func (l *link) stale(err error) bool {
	return !l.heard && !errors.Is(err, os.ErrDeadlineExceeded)
}

// Read implements [net.Conn] for gomemcache.
func (l *link) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	l.heard = l.heard || n > 0
	return n, err
}

// Write implements [net.Conn] for gomemcache. A command that is not written to
// its last byte is none to memcached.
func (l *link) Write(p []byte) (int, error) {
	n, err := l.Conn.Write(p)
	l.unsent = l.unsent || n < len(p)
	return n, err
}

// Close implements [net.Conn] for gomemcache.
func (l *link) Close() error {
	if !l.closed {
		l.closed = true
		l.open.Add(-1)
	}
	return hangUp(l.Conn)
}

// hangUp closes a connection without a word. That of TLS would take its leave of
// the node, and wait for 5 seconds where a node that is silent has no room for
// it, which no deadline bounds. Memcached needs none: a command that was cut off
// is none to it.
func hangUp(conn net.Conn) error {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	return conn.Close()
}

// SetDeadline implements [net.Conn] for gomemcache, which would grant itself
// more time for each line that it reads.
func (l *link) SetDeadline(time.Time) error { return nil }

// onlyNode is the address of all links to their clients: they have but one.
type onlyNode struct{}

func (onlyNode) Network() string                     { return "link" }
func (onlyNode) String() string                      { return "link" }
func (onlyNode) PickServer(string) (net.Addr, error) { return onlyNode{}, nil }
func (onlyNode) Each(f func(net.Addr) error) error   { return f(onlyNode{}) }
