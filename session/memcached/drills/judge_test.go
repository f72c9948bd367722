package drills_test

import (
	"testing"
	"time"
)

// judge holds for every drill. What may be lost, each says itself.
func (d *drill) judge(t *testing.T) {
	t.Helper()
	if n := len(d.book.all()); n < enough {
		t.Errorf("only %d sessions", n)
	}
	w := &d.book.wrong
	if w.revived != 0 || w.mixed != 0 || w.miscounted != 0 {
		t.Errorf("%d revived, %d mixed up, %d miscounted", w.revived, w.mixed, w.miscounted)
	}
	for _, what := range w.said {
		t.Error(what)
	}
	d.none(t, "before", d.in(d.requests(), before).failures())
}

// none fails if there are any such requests. It names a few.
func none(t *testing.T, what string, rs requests) {
	t.Helper()
	for _, r := range rs[:min(len(rs), 5)] {
		t.Errorf("%s: a %s, touched: %v: %v", what, r.class, r.touched, r.err)
	}
	if len(rs) > 0 {
		t.Errorf("%s: %d requests: %s", what, len(rs), rs.byKind())
	}
}

// none fails as the function does. But a timeout, and that a node is given up for
// one, may be the doing of the machine: then the drill is played again.
func (d *drill) none(t *testing.T, what string, rs requests) {
	t.Helper()
	isSlow := func(r request) bool { return r.failed == timeout || r.failed == down }
	if slow := rs.where(isSlow); len(slow) > 0 {
		d.late = append(d.late, what+": "+slow.byKind())
	}
	none(t, what, rs.where(func(r request) bool { return !isSlow(r) }))
}

// spares holds where only some nodes are struck: nobody else notices, and
// whoever logs in is served.
func (d *drill) spares(t *testing.T) {
	t.Helper()
	d.none(t, "failures elsewhere", d.requests().failures().where(func(r request) bool { return r.class != login && !r.touched }))
	d.none(t, "failed logins", d.requests().failures().where(func(r request) bool { return r.class == login }))
}

// loses holds where what is struck is lost: all sessions there that had begun by
// the one time, and none that began after the other, nor elsewhere.
func (d *drill) loses(t *testing.T, begun, later time.Time) {
	t.Helper()
	for _, g := range d.book.all() {
		must := g.struck && g.stands.Before(begun) && !g.isLeaving()
		may := g.struck && g.asked.Before(later)
		if g.lost && !may || must && !g.lost {
			t.Fatalf("session %s: lost: %v, but may be: %v, and must be: %v", g.id, g.lost, may, must)
		}
	}
}

func (d *drill) losesNone(t *testing.T) {
	t.Helper()
	if n := d.book.wrong.lost; n > 0 {
		t.Errorf("%d sessions lost", n)
	}
}

// share holds where a share is to be lost of the sessions that had begun by then.
func (d *drill) share(t *testing.T, want, give float64, begun time.Time) {
	t.Helper()
	lost, of := 0, 0
	for _, g := range d.book.all() {
		if g.stands.Before(begun) && !g.isLeaving() {
			of++
			if g.lost {
				lost++
			}
		}
	}
	if got := float64(lost) / float64(of); got < want-give || got > want+give {
		t.Errorf("%d of %d sessions lost, %.1f%%, want %.1f%%", lost, of, 100*got, 100*want)
	}
}

// recovers holds from when the nodes listen again: what fails until all are
// used again is refused by the breaker, and never costs a stale connection.
func (d *drill) recovers(t *testing.T, listens, used time.Time) {
	t.Helper()
	d.none(t, "failures once it listens, but the breaker's", d.requests().between(listens, used).failures().where(func(r request) bool {
		return r.failed != down
	}))
	d.none(t, "failures once it is used again", d.requests().between(used, d.began[phases]).failures())
	if took := used.Sub(listens); took > 600*time.Millisecond {
		d.tooLate("used again only %v after it listened", took)
	}
}

// unmoved holds the others' latency against what it was before. The allowance
// is for what any request may meet on two processors.
func (d *drill) unmoved() {
	elsewhere := d.requests().where(func(r request) bool { return r.class != login && !r.touched })
	was, is := d.in(elsewhere, before).percentile(0.99), d.in(elsewhere, during).percentile(0.99)
	if is > 2*was+allowance {
		d.tooLate("p99 elsewhere is %v, was %v", is, was)
	}
}

const allowance = 500 * time.Microsecond
