package migrating

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"
)

// turns lets one request at a time take over a session: the others find its
// note instead of making sessions that are dropped again. Each session has a
// turn of its own, so nobody waits for somebody else's. Among several processes
// the note alone decides.
type turns struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte]*turn
}

type turn struct {
	taken chan struct{}
	users int   // having it, waiting or remembering; guarded by turns.mu
	made  *made // without a note as far as is known; guarded by the turn
}

func (ts *turns) enter(ctx context.Context, old [sha256.Size]byte) (*turn, error) {
	t := ts.join(old)
	select {
	case t.taken <- struct{}{}:
		return t, nil
	case <-ctx.Done():
		ts.leave(old)
		return nil, ctx.Err()
	}
}

func (ts *turns) exit(old [sha256.Size]byte, t *turn) {
	<-t.taken
	ts.leave(old)
}

// remember keeps what a turn holds, for a time.
func (ts *turns) remember(old [sha256.Size]byte, d time.Duration) {
	ts.join(old)
	time.AfterFunc(d, func() { ts.leave(old) })
}

func (ts *turns) join(old [sha256.Size]byte) *turn {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.all == nil {
		ts.all = make(map[[sha256.Size]byte]*turn)
	}
	t := ts.all[old]
	if t == nil {
		t = &turn{taken: make(chan struct{}, 1)}
		ts.all[old] = t
	}
	t.users++
	return t
}

func (ts *turns) leave(old [sha256.Size]byte) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := ts.all[old]
	if t.users--; t.users == 0 {
		delete(ts.all, old)
	}
}
