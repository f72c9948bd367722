package memcached

import (
	"context"
	"errors"
	"time"
)

var (
	errBusy    = errors.New("all connections are in use (memcached.Config.MaxConns)")
	errGivenUp = errors.New("went down meanwhile")
)

// turns limits the calls to a node, and thereby its connections. Nobody waits
// for a turn at a node that is down, and nobody longer than the timeout: what
// piles up in front of a slow node is refused, and the node is not blamed.
type turns chan struct{}

func newTurns(n int) turns { return make(turns, n) }

func (t turns) begin(ctx context.Context, b *breaker, timeout time.Duration) error {
	now := b.state.Load()
	if now.down != nil {
		return now.down
	}
	select {
	case t <- struct{}{}:
		return nil
	default:
	}
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	select {
	case t <- struct{}{}:
		// It may have come free because a call failed that took the node down.
		if now := b.state.Load(); now.down != nil {
			t.end()
			return now.down
		}
		return nil
	case <-now.ended:
		// Of the state after this one only that it is another is certain.
		return errGivenUp
	case <-limit.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turns) end() { <-t }
