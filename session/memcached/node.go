package memcached

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/coatcheck/coatcheck/session"
)

// downFor is how long a node counts as unavailable after a failure, unless it
// answers before.
const downFor = time.Second

var errClosed = fmt.Errorf("the store is closed: %w", net.ErrClosed)

// A node is one memcached server: its connections and its health. All of its
// methods are safe for concurrent use.
type node struct {
	target
	timeout time.Duration
	maxIdle int
	dialer  func(ctx context.Context, network, address string) (net.Conn, error)

	failed atomic.Pointer[time.Time] // when the last call failed; nil if it did not

	mu     sync.Mutex
	idle   []*link // the one used last at the end
	closed bool
}

func newNode(t target, cfg Config) *node {
	return &node{target: t, timeout: cfg.Timeout, maxIdle: cfg.MaxIdleConns, dialer: cfg.DialContext}
}

// available reports whether the node answered last or has not failed for a while.
func (n *node) available() bool {
	failed := n.failed.Load()
	return failed == nil || time.Since(*failed) >= downFor
}

// once makes one call. If it returns no answer, the outcome is unknown.
func (n *node) once(ctx context.Context, f func(*memcache.Client) error) error {
	_, err := n.do(ctx, false, f)
	return err
}

// twice makes one call, and another if the connection turns out to have been
// dead before. Lost is the error of a first one that may have been carried out
// all the same; err is the outcome.
func (n *node) twice(ctx context.Context, f func(*memcache.Client) error) (lost, err error) {
	return n.do(ctx, true, f)
}

func (n *node) do(ctx context.Context, again bool, f func(*memcache.Client) error) (lost, err error) {
	lost, err = n.attempt(ctx, again, f)
	switch {
	case answered(err):
		if n.failed.Load() != nil { // a load is cheaper for all the others
			n.failed.Store(nil)
		}
		return lost, err
	case ctx.Err() != nil:
		// The caller has left. That says nothing about the node.
		return lost, fmt.Errorf("memcached: node %s: %w", n.name, ctx.Err())
	default:
		now := time.Now()
		n.failed.Store(&now)
		return lost, fmt.Errorf("memcached: node %s: %w", n.name, err)
	}
}

func (n *node) attempt(ctx context.Context, again bool, f func(*memcache.Client) error) (lost, err error) {
	deadline := time.Now().Add(n.timeout)
	if l := n.take(); l != nil {
		err := n.call(ctx, l, deadline, f)
		if answered(err) || !again || !l.stale(err) {
			return nil, err
		}
		if !l.unsent {
			lost = err
		}
	}
	// Never another pooled one for the second attempt: it would be as dead.
	l, err := n.dial(ctx, deadline)
	if err != nil {
		return lost, err
	}
	return lost, n.call(ctx, l, deadline, f)
}

// call makes one call on a link and decides what becomes of that.
func (n *node) call(ctx context.Context, l *link, deadline time.Time, f func(*memcache.Client) error) error {
	err := l.call(ctx, deadline, f)
	if answered(err) && l.usable() {
		n.put(l)
		return err
	}
	l.Close()
	if !answered(err) && !l.heard && ctx.Err() == nil {
		// The others go the same way, each at the cost of a request: the node
		// has restarted, or a firewall has forgotten them.
		_ = n.drop()
	}
	return err
}

func (n *node) dial(ctx context.Context, deadline time.Time) (*link, error) {
	n.mu.Lock()
	closed := n.closed
	n.mu.Unlock()
	if closed {
		return nil, errClosed
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	conn, err := n.dialer(ctx, n.network, n.addr)
	if err != nil {
		return nil, err
	}
	return newLink(conn), nil
}

// take returns the idle link that was used last, or nil if there is none.
func (n *node) take() *link {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.idle) == 0 {
		return nil
	}
	last := len(n.idle) - 1
	l := n.idle[last]
	n.idle[last] = nil
	n.idle = n.idle[:last]
	return l
}

// put keeps a link that has answered for the next call, if there is room.
func (n *node) put(l *link) {
	n.mu.Lock()
	keep := !n.closed && len(n.idle) < n.maxIdle
	if keep {
		n.idle = append(n.idle, l)
	}
	n.mu.Unlock()
	if !keep {
		l.Close()
	}
}

// drop closes all idle links. Calls under way go on.
func (n *node) drop() error {
	n.mu.Lock()
	idle := n.idle
	n.idle = nil
	n.mu.Unlock()
	var errs []error
	for _, l := range idle {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

func (n *node) close() error {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	return n.drop()
}

// answered reports whether the node said what became of a call.
func answered(err error) bool {
	return err == nil || errors.Is(err, memcache.ErrCacheMiss) || errors.Is(err, memcache.ErrCASConflict) ||
		errors.Is(err, memcache.ErrNotStored) || errors.Is(err, session.ErrTooLarge)
}
