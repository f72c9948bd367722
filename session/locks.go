package session

import (
	"context"
	"sync"
)

// locks lets one commit at a time per session through, in this process: what
// would only end in version conflicts waits here instead. It guards no data;
// commits of other processes are met by compare-and-swap alone.
type locks struct {
	mu   sync.Mutex
	held map[ID]*lock
}

type lock struct {
	turn  chan struct{} // holds one token while the lock is free
	users int           // holding or waiting; guarded by locks.mu
}

// acquire waits for the lock, and reports whether it had to.
func (l *locks) acquire(ctx context.Context, id ID) (waited bool, err error) {
	k := l.join(id)
	select {
	case <-k.turn:
		return false, nil
	default:
	}
	select {
	case <-k.turn:
		return true, nil
	case <-ctx.Done():
		l.leave(id, k)
		return true, ctx.Err()
	}
}

// try acquires the lock only if nobody has it or waits for it.
func (l *locks) try(id ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[id] != nil {
		return false
	}
	l.add(id).users = 1
	<-l.held[id].turn
	return true
}

func (l *locks) release(id ID) {
	l.mu.Lock()
	k := l.held[id]
	l.mu.Unlock()
	k.turn <- struct{}{}
	l.leave(id, k)
}

func (l *locks) join(id ID) *lock {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.held[id]
	if k == nil {
		k = l.add(id)
	}
	k.users++
	return k
}

func (l *locks) add(id ID) *lock {
	if l.held == nil {
		l.held = make(map[ID]*lock)
	}
	k := &lock{turn: make(chan struct{}, 1)}
	k.turn <- struct{}{}
	l.held[id] = k
	return k
}

func (l *locks) leave(id ID, k *lock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k.users--; k.users == 0 {
		delete(l.held, id)
	}
}
