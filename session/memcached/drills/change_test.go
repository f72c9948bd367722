package drills_test

import (
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session"
)

func removed(t *testing.T, d *drill) { d.abruptly(t, 6, 5) }
func added(t *testing.T, d *drill)   { d.abruptly(t, 5, 6) }

// between has the drill strike the keys that a change of the nodes moves.
func (d *drill) between(t *testing.T, from, to int) (was, is []string) {
	t.Helper()
	d.cluster = startNodes(t, 6, noArgs)
	was, is = d.names[:from], d.names[:to]
	d.where = "that move"
	d.strikes = func(key string) bool { return owner(was, key) != owner(is, key) }
	return was, is
}

func (d *drill) abruptly(t *testing.T, from, to int) {
	was, is := d.between(t, from, to)
	d.open(t, was, lives)
	d.enter(t)

	d.begin(during)
	d.book.unsettle()
	await.Together(2, func(i int) { d.change(t, i, is, nil) })
	d.book.settle(time.Now())
	d.hold(t, d.phase())
	d.leave(t)

	d.none(t, "failures", d.requests().failures())
	d.loses(t, d.began[during], d.book.settled)
	d.share(t, 1./6, 0.02, d.began[during])
}

func (d *drill) change(t *testing.T, process int, nodes, agree []string) {
	if err := d.processes[process].store.SetNodes(d.list(nodes), d.list(agree)); err != nil {
		t.Error(err)
	}
}

// brief are the lives of sessions in a change that waits for all to end.
var brief = session.Config{Lifetime: 3 * time.Second, RefreshAfter: 500 * time.Millisecond}

func removedByRollouts(t *testing.T, d *drill) { d.byRollouts(t, 6, 5) }
func addedByRollouts(t *testing.T, d *drill)   { d.byRollouts(t, 5, 6) }

// byRollouts plays what SetNodes asks for, with one of the two processes a step
// behind the other for a while.
func (d *drill) byRollouts(t *testing.T, from, to int) {
	was, is := d.between(t, from, to)
	d.externals, d.mix = true, mix{writes: 25, logins: 25, logouts: 8}
	d.open(t, was, brief)
	d.enter(t)

	const apart = 250 * time.Millisecond
	d.begin(during)
	for _, step := range []struct {
		nodes, agree []string
		wait         time.Duration
	}{
		{was, is, brief.Lifetime},
		{is, was, apart},
		{is, nil, apart},
	} {
		d.change(t, 0, step.nodes, step.agree)
		d.hold(t, apart)
		d.change(t, 1, step.nodes, step.agree)
		d.hold(t, step.wait)
	}
	d.leave(t)

	d.losesNone(t)
	d.none(t, "failures", d.requests().failures().where(func(r request) bool { return r.failed != conflict }))
}
