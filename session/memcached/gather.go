package memcached

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
)

const (
	// maxFlying is how many calls of a kind, or batches that are not full, are in
	// flight to a node before others wait. With one, a slow answer would hold up
	// everybody; from three on, what is saved by gathering gets less
	// (BenchmarkGathered).
	maxFlying = 2

	// maxFull is how many are in flight if those that wait are full batches, as
	// to wait would fill them no more, or have waited for long; while they are
	// small, as many as it takes to have a call in flight for each connection that
	// there may be.
	maxFull = 8

	// A batch has at first firstBatch calls, and at most maxBatch; but no more than
	// carry about maxBatchBytes. So as long as it is not known how large values
	// are, no more of them are in flight than DefaultMaxConns would have, and then
	// some 2 MiB: what a network can't carry in time waits here rather than there.
	firstBatch    = 4
	maxBatch      = 64
	maxBatchBytes = 256 << 10
)

var errCrowd = errors.New("too many calls were before this one")

// A gatherer has calls of one kind that come while others are in flight wait
// until one of those is back, and then go to the node together. A call that finds
// few in flight goes at once, and alone. None ever joins what has been sent: a get
// could return what was true before it was asked.
type gatherer struct {
	ask   func(*link, []rider) error
	again bool // it may be asked twice; see node.do

	atOnce   int           // calls that may be in flight in any case
	patience time.Duration // to wait for a batch to be full, and for what is in flight
	hurry    func()        // sends what has waited for that long

	mu      sync.Mutex
	flying  int      // calls that went alone, and batches
	calls   int      // that those are
	waiting []*batch // unsent, in the order of their beginning; empty unless maxFlying fly
	most    int      // calls to a batch
}

// A batch belongs to none of those who wait for it: it is sent in a goroutine of
// its own, and one who leaves takes nothing from the others.
type batch struct {
	began  time.Time
	riders []rider
	bytes  int // to be sent
	late   *time.Timer
	err    error
	done   chan struct{} // closed when the answers are there
}

// A rider is a call in a batch, and its answer: of a get the first two, of a put
// the others.
type rider struct {
	key   string        // to get
	found memcache.Item // zero if nothing was

	command  []byte // to put
	answered bool
	answer   error
}

// alone reports whether a call may go at once, after which its caller calls land.
func (g *gatherer) alone() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	free := g.flying < maxFlying
	if free {
		g.flying, g.calls = g.flying+1, g.calls+1
	}
	return free
}

// join returns the batch that a call rides in, and its place there. Ready is a
// batch that is to be sent now.
func (g *gatherer) join(r rider) (b *batch, place int, ready *batch) {
	g.mu.Lock()
	defer g.mu.Unlock()
	last := len(g.waiting) - 1
	if last < 0 || g.full(g.waiting[last]) {
		g.waiting = append(g.waiting, &batch{
			began: time.Now(), riders: make([]rider, 0, min(g.most, 16)), done: make(chan struct{}),
			late: time.AfterFunc(g.patience, g.hurry), // what is in flight may have stalled
		})
		last++
	}
	b = g.waiting[last]
	b.riders, b.bytes = append(b.riders, r), b.bytes+len(r.command)
	return b, len(b.riders) - 1, g.take()
}

// land says that something is back, and returns what is to be sent now.
func (g *gatherer) land(calls int) (ready []*batch) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.flying, g.calls = g.flying-1, g.calls-calls
	return g.takeAll()
}

// overdue returns what has waited for long enough, if more may be in flight.
func (g *gatherer) overdue() []*batch {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.takeAll()
}

func (g *gatherer) takeAll() (ready []*batch) {
	for b := g.take(); b != nil; b = g.take() {
		ready = append(ready, b)
	}
	return ready
}

// take returns the first batch that waits, if it may go.
func (g *gatherer) take() *batch {
	if len(g.waiting) == 0 {
		return nil
	}
	b := g.waiting[0]
	grown := len(g.waiting) > 1 || g.full(b) || time.Since(b.began) >= g.patience
	if g.flying >= maxFlying && !(grown && (g.flying < maxFull || g.calls < g.atOnce)) {
		return nil
	}
	g.waiting[0] = nil
	g.waiting = g.waiting[1:]
	g.flying, g.calls = g.flying+1, g.calls+len(b.riders)
	return b
}

func (g *gatherer) full(b *batch) bool { return len(b.riders) >= g.most || b.bytes >= maxBatchBytes }

// size fits the next batches to what became of one.
func (g *gatherer) size(b *batch) {
	bytes := b.bytes
	for i := range b.riders {
		bytes += len(b.riders[i].found.Value)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case tooLate(b.err):
		g.most = max(1, g.most/2)
	case b.err == nil:
		g.most = max(1, min(2*g.most, maxBatch, maxBatchBytes*len(b.riders)/max(1, bytes)))
	}
}

// ride makes a call together with others, and waits for its answer.
func (n *node) ride(ctx context.Context, g *gatherer, r rider) (*batch, *rider, error) {
	b, place, ready := g.join(r)
	if ready != nil {
		go n.send(g, ready)
	}
	select {
	case <-b.done:
		return b, &b.riders[place], nil
	case <-ctx.Done():
		return nil, nil, &nodeError{n.name, ctx.Err()}
	}
}

// latest is when a call that rides in a batch must have ended, as if it had gone
// alone: a timeout for its turn, and one for the call.
func (n *node) latest(b *batch) time.Time { return b.began.Add(2 * n.timeout) }

func (n *node) send(g *gatherer, b *batch) {
	b.late.Stop()
	b.err = n.together(g, b)
	g.size(b)
	n.land(g, len(b.riders)) // first: the others' wait is longer
	close(b.done)
}

func (n *node) land(g *gatherer, calls int) { n.sendAll(g, g.land(calls)) }

func (n *node) sendAll(g *gatherer, ready []*batch) {
	for _, b := range ready {
		go n.send(g, b)
	}
}

func (n *node) together(g *gatherer, b *batch) error {
	if time.Since(b.began) >= n.timeout { // too little is left for the call
		return &nodeError{n.name, errCrowd}
	}
	ctx, cancel := context.WithDeadline(context.Background(), n.latest(b))
	defer cancel()
	_, err := n.do(ctx, g.again, func(l *link) error { return g.ask(l, b.riders) })
	return err
}

// alone reports whether a call is to be made by itself: because few are in
// flight, or because it fails at once, rather than wait behind what waits in vain.
// Land is to be called after it.
func (n *node) alone(g *gatherer) (land func(), ok bool) {
	switch {
	case n.state.Load().down != nil:
		return func() {}, true
	case g.alone():
		return func() { n.land(g, 1) }, true
	default:
		return nil, false
	}
}

// again reports whether a call that had no answer in a batch may be made again:
// what makes no sense may be due to another one's key, and what is late to
// another one's value.
func (n *node) again(b *batch) bool {
	return n.state.Load().down == nil && !errors.Is(b.err, errCrowd)
}

func tooLate(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}
