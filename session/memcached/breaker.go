package memcached

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

const (
	// doubtFor is how long a node gets no new sessions after a call failed,
	// unless it answers before.
	doubtFor = time.Second

	// A node that is down is asked at once, then after firstProbe, then ever
	// less often, up to lastProbe: a node that is back serves that soon.
	firstProbe = 20 * time.Millisecond
	lastProbe  = 500 * time.Millisecond

	// A node that answers nothing but probes is left alone ever longer, up to
	// longestProbe, for each time that it is up costs requests the timeout.
	longestProbe = 10 * time.Second
)

// A breaker fails the calls to a node at once while it gives no answers, and
// asks it in the background whether it is back. In the background rather than
// by letting a request through now and then: no request pays for the question
// with its time, and a node without requests, as one that gets no new sessions,
// is found again too.
//
// One failure is enough to open it, if nobody else had an answer since that call
// began. What a node is wrongly given up for so is the time of one round trip,
// since it is asked at once; what waiting for a second failure would cost is one
// more request that waits for the timeout.
type breaker struct {
	answers atomic.Uint64             // counts them
	failed  atomic.Pointer[time.Time] // when the last call failed; nil if it did not
	state   atomic.Pointer[state]

	mu     sync.Mutex // held while state is changed
	probes sync.WaitGroup
}

// A state is a time in which a node is up, or down. It is never changed.
type state struct {
	down  error         // why; nil if it is up
	ended chan struct{} // closed at its end

	wait    time.Duration // before the first probe, in this outage or the last one
	answers uint64        // there had been when it came up
}

func up() *state { return &state{ended: make(chan struct{})} }

// available reports whether a new session can be placed here: the node is up and
// answered last, or has not failed for a while.
func (b *breaker) available() bool {
	failed := b.failed.Load()
	return b.state.Load().down == nil && (failed == nil || time.Since(*failed) >= doubtFor)
}

func (b *breaker) answered() {
	b.answers.Add(1)
	if b.failed.Load() != nil { // a load is cheaper for all the others
		b.failed.Store(nil)
	}
}

func (b *breaker) doubt() {
	now := time.Now()
	b.failed.Store(&now)
}

// enter replaces a state, unless another is there by now, and has the new one
// looked after in the background.
func (b *breaker) enter(from, to *state, background func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.state.CompareAndSwap(from, to) {
		return false
	}
	close(from.ended)
	if background != nil {
		b.probes.Go(background) // under the lock, so that close waits for it
	}
	return true
}

// judge decides what a call that began when the node had given so many answers
// says about it. A fresh connection is one that was made for the call: if a
// pooled one is over, the next call will see why.
func (n *node) judge(ctx context.Context, began uint64, l *link, fresh bool, err error) {
	switch {
	case answered(err):
		n.answered()
		return
	case over(ctx), errors.Is(err, errClosed):
		return // the caller has left, or this side: that says nothing about the node
	}
	n.doubt()
	// That no connection could be made may be due to this side, as when it is out
	// of file descriptors: those that there are decide.
	unreachable := (l == nil || fresh && !l.heard) && n.open.Load() == 0
	silent := errors.Is(err, os.ErrDeadlineExceeded)
	if (unreachable || silent) && n.answers.Load() == began {
		n.trip(err)
	}
}

// over reports whether the caller has left. The deadline of a connection, which is
// the context's too, may pass before the context's timer has fired.
func over(ctx context.Context) bool {
	at, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(at)
}

// trip gives the node up until it answers a probe.
func (n *node) trip(cause error) {
	from := n.state.Load()
	to := &state{down: fmt.Errorf("is down: %w", cause), ended: make(chan struct{})}
	if from.answers == n.answers.Load() && from.answers > 0 { // it has answered nothing but the probe
		to.wait = min(max(2*from.wait, firstProbe), longestProbe)
	}
	if from.down == nil && n.enter(from, to, func() { n.probe(to, cause) }) {
		_ = n.drop()
	}
}

// probe asks a node that is down until it answers or is not wanted any more.
func (n *node) probe(down *state, cause error) {
	n.tell(session.Event{Kind: session.NodeDown, Node: n.name, Err: cause})
	for wait := down.wait; n.pause(wait); wait = min(max(2*wait, firstProbe), max(down.wait, lastProbe)) {
		if n.ping() == nil {
			n.answered()
			again := up()
			again.wait, again.answers = down.wait, n.answers.Load()
			if n.enter(down, again, nil) {
				n.tell(session.Event{Kind: session.NodeUp, Node: n.name})
			}
			return
		}
	}
}

// tell tells the observer, unless the node is not his any more.
func (n *node) tell(e session.Event) {
	if n.wanted.Err() == nil {
		n.observe(n.wanted, e)
	}
}

// pause waits for about that long, and reports whether the node is still wanted.
func (n *node) pause(wait time.Duration) bool {
	if wait > 0 {
		pause := time.NewTimer(wait/2 + rand.N(wait/2)) //nolint:gosec // jitter, no secret
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-n.wanted.Done():
		}
	}
	return n.wanted.Err() == nil
}

// ping asks the node for its version on a connection of its own, which is kept
// if an answer comes.
func (n *node) ping() error {
	deadline := time.Now().Add(n.timeout)
	l, err := n.dial(n.wanted, deadline)
	if err != nil {
		return err
	}
	return n.call(n.wanted, l, deadline, func(l *link) error { return l.client.Ping() })
}
