package drills_test

import (
	"slices"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
)

// The stopped node's sessions are logged out, in vain, and again when it is
// back. It carries out then what it was asked while it was stopped.
func stopped(t *testing.T, d *drill) {
	d.five(t)
	d.open(t, d.names, lives)
	d.enter(t)

	d.begin(during)
	d.servers[victim].Pause()
	known := d.awaitDown(t, victim)
	leaving := d.triesToLeave(t, 200)
	d.hold(t, d.phase())
	resumed := time.Now()
	d.servers[victim].Resume()
	d.awaitUp(t)
	d.leaves(t, leaving)
	d.leave(t)

	d.spares(t)
	d.unmoved()
	d.losesNone(t)
	d.waitsOnce(t, known, resumed)
	d.none(t, "failures once it is used again", d.in(d.requests(), after).failures())
	for _, g := range leaving {
		if g.left.IsZero() && g.gone.IsZero() {
			t.Errorf("session %s is still there", g.id)
		}
	}
}

// triesToLeave has sessions on the stopped node logged out.
func (d *drill) triesToLeave(t *testing.T, n int) (leaving []*guest) {
	t.Helper()
	for i, g := range d.book.all() {
		if g.struck && !g.isLeaving() && len(leaving) < n {
			leaving = append(leaving, g)
			p := d.processes[i%2]
			d.crowd.ask(logout, g, p, func() error { return d.logout(t.Context(), p, g) })
		}
	}
	return leaving
}

// leaves has them logged out for good. Those whose first attempt the node has
// carried out by now are gone.
func (d *drill) leaves(t *testing.T, leaving []*guest) {
	t.Helper()
	for i, g := range leaving {
		if err := patiently(func() error { return d.logout(t.Context(), d.processes[i%2], g) }); err != nil {
			t.Errorf("a logout tried again: %v", err)
		}
	}
}

// waitsOnce holds for the stopped node's requests: those that met it first wait
// for the timeout, and those that come when it is known fail at once.
func (d *drill) waitsOnce(t *testing.T, known, resumed time.Time) {
	t.Helper()
	there := d.requests().where(func(r request) bool { return r.struck })
	first, later := d.in(there, during).where(func(r request) bool { return r.from.Before(known) }), there.between(known, resumed)
	if len(first.failures()) == 0 || len(later) < 50 {
		t.Errorf("%d failures at first and %d requests later", len(first.failures()), len(later))
	}
	none(t, "refused by something else than the breaker", later.where(func(r request) bool { return r.failed != down }))
	if typical := later.percentile(0.5); typical > 50*time.Millisecond {
		t.Errorf("half of the requests for a node that is known to be down take more than %v", typical)
	}
	if most := first.percentile(1); most > patience()+50*time.Millisecond {
		d.tooLate("the longest wait at first is %v", most)
	}
	if p99 := later.percentile(0.99); p99 > 5*time.Millisecond {
		d.tooLate("p99 for a node that is known to be down is %v", p99)
	}
}

// behindProxy puts a proxy before the victim.
func (d *drill) behindProxy(t *testing.T) *proxy {
	t.Helper()
	d.five(t)
	p := startProxy(t, d.addrs[victim])
	d.addrs[victim] = p.addr()
	d.open(t, d.names, lives)
	return p
}

func slowed(t *testing.T, d *drill) {
	p := d.behindProxy(t)
	d.enter(t)

	d.begin(during)
	p.delay.Store(int64(200 * time.Millisecond))
	d.hold(t, d.phase())
	p.delay.Store(0)
	d.awaitUp(t)
	d.leave(t)

	d.spares(t)
	d.losesNone(t)
	d.unmoved()
}

// Of the answers that are cut, some are those to writes that were carried out.
func cutOff(t *testing.T, d *drill) {
	p := d.behindProxy(t)
	d.enter(t)

	d.begin(during)
	p.cut.Store(4)
	d.hold(t, d.phase())
	await.Until(t, "20 answers to be cut", func() bool { return p.cuts.Load() >= 20 })
	p.cut.Store(0)
	d.awaitUp(t)
	d.awaitRead(t)
	d.leave(t)

	d.spares(t)
	d.losesNone(t)
	d.none(t, "failures after the last cut", d.in(d.requests(), after).failures())
}

// awaitRead waits until both processes have read a session on the victim: what
// dies with a connection that was cut has died by then.
func (d *drill) awaitRead(t *testing.T) {
	t.Helper()
	at := slices.IndexFunc(d.book.all(), func(g *guest) bool { return g.struck })
	if at < 0 {
		t.Fatal("no session on the victim")
	}
	g := d.book.all()[at]
	for _, p := range d.processes {
		await.Until(t, "a read on "+victim, func() bool { return d.see(t.Context(), p, g) == nil })
	}
}
