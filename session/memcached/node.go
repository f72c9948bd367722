package memcached

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/coatcheck/coatcheck/session"
)

var errClosed = fmt.Errorf("the store is closed: %w", net.ErrClosed)

// A node is one memcached server: its connections and its health. All of its
// methods are safe for concurrent use.
type node struct {
	target
	breaker
	timeout time.Duration
	maxIdle int
	dialer  func(ctx context.Context, network, address string) (net.Conn, error)
	lookup  func(ctx context.Context, host string) ([]string, error)
	observe func(context.Context, session.Event)
	turns   turns
	gets    gatherer
	puts    gatherer

	open atomic.Int64 // links

	wanted  context.Context // done when the node is closed
	discard context.CancelFunc

	pool sync.Mutex // guards idle
	idle []*link    // the one used last at the end
}

func newNode(t target, cfg Config) *node {
	n := &node{
		target: t, timeout: cfg.Timeout, maxIdle: min(cfg.MaxIdleConns, cfg.MaxConns), dialer: cfg.DialContext,
		lookup: cfg.LookupHost, observe: cfg.Observe, turns: newTurns(cfg.MaxConns),
	}
	for _, g := range []*gatherer{&n.gets, &n.puts} {
		g.most, g.atOnce, g.patience = firstBatch, cfg.MaxConns, cfg.Timeout/8
		g.hurry = func() { n.sendAll(g, g.overdue()) }
	}
	n.gets.ask, n.gets.again, n.puts.ask = (*link).gets, true, (*link).puts
	n.state.Store(up())
	n.wanted, n.discard = context.WithCancel(context.Background())
	return n
}

// once makes one call. If it returns no answer, the outcome is unknown.
func (n *node) once(ctx context.Context, f func(*link) error) error {
	_, err := n.do(ctx, false, f)
	return err
}

// twice makes one call, and another if the connection turns out to have been
// dead before. Lost is the error of a first one that may have been carried out
// all the same; err is the outcome.
func (n *node) twice(ctx context.Context, f func(*link) error) (lost, err error) {
	return n.do(ctx, true, f)
}

func (n *node) do(ctx context.Context, again bool, f func(*link) error) (lost, err error) {
	if err = n.turns.begin(ctx, &n.breaker, n.timeout); err == nil {
		lost, err = n.attempt(ctx, again, f)
	}
	switch {
	case answered(err):
		return lost, err
	case ctx.Err() != nil:
		err = ctx.Err()
	case strings.Contains(err.Error(), "CLIENT_ERROR unauthenticated"):
		err = fmt.Errorf("%w: %w", errNoPassword, err)
	}
	return lost, &nodeError{n.name, err}
}

// A nodeError is what went wrong with a node. Its method tells which to
// [session.Event].
type nodeError struct {
	node string
	err  error
}

func (e *nodeError) Error() string { return "memcached: node " + e.node + ": " + e.err.Error() }
func (e *nodeError) Unwrap() error { return e.err }
func (e *nodeError) Node() string  { return e.node }

func (n *node) attempt(ctx context.Context, again bool, f func(*link) error) (lost, err error) {
	defer n.turns.end()
	began, deadline := n.answers.Load(), time.Now().Add(n.timeout)
	if l := n.take(); l != nil {
		err := n.call(ctx, l, deadline, f)
		if answered(err) || !again || !l.stale(err) {
			n.judge(ctx, began, l, false, err)
			return nil, err
		}
		if !l.unsent {
			lost = err
		}
	}
	// Never another pooled one for the second attempt: it would be as dead.
	l, err := n.dial(ctx, deadline)
	if err == nil {
		err = n.call(ctx, l, deadline, f)
	}
	n.judge(ctx, began, l, true, err)
	return lost, err
}

// call makes one call on a link and decides what becomes of that.
func (n *node) call(ctx context.Context, l *link, deadline time.Time, f func(*link) error) error {
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
	if errors.Is(n.state.Load().down, errClosed) {
		return nil, errClosed
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	conn, err := n.dialer(ctx, n.network, n.addr)
	if err != nil {
		return nil, err
	}
	return newLink(conn, &n.open), nil
}

// take returns the idle link that was used last, or nil if there is none.
func (n *node) take() *link {
	n.pool.Lock()
	defer n.pool.Unlock()
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
	n.pool.Lock()
	keep := n.wanted.Err() == nil && len(n.idle) < n.maxIdle
	if keep {
		n.idle = append(n.idle, l)
	}
	n.pool.Unlock()
	if !keep {
		l.Close()
	}
}

// drop closes all idle links. Calls under way go on.
func (n *node) drop() error {
	n.pool.Lock()
	idle := n.idle
	n.idle = nil
	n.pool.Unlock()
	var errs []error
	for _, l := range idle {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// close fails all later calls, and ends what goes on in the background.
func (n *node) close() error {
	err := n.retire()
	for closed := (&state{down: errClosed, ended: make(chan struct{})}); ; {
		if now := n.state.Load(); errors.Is(now.down, errClosed) || n.enter(now, closed, nil) {
			break
		}
	}
	n.probes.Wait()
	return err
}

// retire lets calls go on, but keeps no connection and asks no questions.
func (n *node) retire() error {
	n.pool.Lock()
	n.discard()
	n.pool.Unlock()
	return n.drop()
}

// answered reports whether the node said what became of a call.
func answered(err error) bool {
	return err == nil || errors.Is(err, memcache.ErrCacheMiss) || errors.Is(err, memcache.ErrCASConflict) ||
		errors.Is(err, memcache.ErrNotStored) || errors.Is(err, session.ErrTooLarge)
}
