// Package drills_test plays what befalls memcached nodes, with real processes:
// while two processes' worth of readers, writers, logins and logouts come in at
// a steady pace, a node is killed, stopped, cut off, slowed, restarted, taken
// away or added. Each answer is held against what is known of its session, and
// in the end every session is asked for.
//
// `go test` judges sessions and failures strictly, and latencies only where a
// busy machine can't matter. `make drill`, alone on its machine, judges those
// too, and prints the table.
package drills_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// strict: this machine does nothing else, and latencies count.
var strict = os.Getenv("COATCHECK_DRILL") != "" && !raceEnabled

// enough sessions are there in each drill.
const enough = 10_000

func TestDrills(t *testing.T) {
	table := &report{load: loadText()}
	t.Cleanup(func() { _, _ = t.Output().Write([]byte("\n" + table.String())) })
	for _, row := range []struct {
		rules, name string
		play        func(*testing.T, *drill)
	}{
		{"M9 M11", "one node of five is killed and restarted", killed},
		{"M10 M11", "one node of five is stopped and continued", stopped},
		{"M13", "one node's answers are cut in the middle", cutOff},
		{"M10", "one node of five is slowed by 200 ms", slowed},
		{"M9", "one node of five is restarted warm", restartedWarm},
		{"M12", "a node of six is removed abruptly", removed},
		{"M12", "a sixth node is added abruptly", added},
		{"M12", "a node of six is removed by three rollouts", removedByRollouts},
		{"M12", "a sixth node is added by three rollouts", addedByRollouts},
		{"M9 M11", "all five nodes are restarted at once", allRestarted},
	} {
		t.Run(row.rules+" "+row.name, func(t *testing.T) {
			table.add(perform(t, row.name, row.play))
		})
	}
}

// performances bounds how often a drill is played for the sake of latencies, and
// of timeouts where nothing was struck. What else a machine does can only make
// them worse: that they are kept once is enough. All else must hold each time.
const performances = 3

func perform(t *testing.T, name string, play func(*testing.T, *drill)) *drill {
	t.Helper()
	defer func() {
		if remark := busy(); t.Failed() && remark != "" {
			t.Error("it failed" + remark)
		}
	}()
	for n := 1; ; n++ {
		d := newDrill(name)
		play(t, d)
		if len(d.late) == 0 || t.Failed() {
			return d
		}
		for _, what := range d.late {
			t.Logf("performance %d of %d: %s", n, performances, what)
		}
		if n == performances {
			t.Error("too slow in every performance")
			return d
		}
	}
}

// A drill is one of them under way.
type drill struct {
	*cluster
	name      string
	where     string                // the drill strikes, for the table
	strikes   func(key string) bool // whether a key lies there
	externals bool                  // some sessions are external ones
	mix       mix
	book      *book
	crowd     *crowd
	logins    atomic.Int64
	began     [phases + 1]time.Time // the last: its end
	aside     [2]time.Time          // requests that began between these are in no phase
	late      []string              // what took too long
}

func newDrill(name string) *drill {
	return &drill{name: name, book: new(book), mix: mix{writes: 27, logins: 10, logouts: 8}}
}

// lives are those of sessions in most drills. Activity is recorded often, so
// that these writes meet the others.
var lives = session.Config{Lifetime: time.Hour, RefreshAfter: 500 * time.Millisecond}

// enter fills the cluster and has the crowd come in, up to the end of the first phase.
func (d *drill) enter(t *testing.T) {
	t.Helper()
	d.fill(t, enough)
	rate := 1500.0
	switch {
	case raceEnabled:
		rate = 500
	case !strict:
		rate = 800
	}
	d.crowd = &crowd{drill: d, rate: rate, mix: d.mix, places: make(chan struct{}, 1000), stop: make(chan struct{})}
	d.crowd.run(t.Context())
	t.Cleanup(d.crowd.end)
	d.begin(before)
	d.hold(t, d.phase())
}

func (d *drill) begin(p phase) { d.began[p] = time.Now() }

// phase is how long one takes, unless what happens in it takes longer.
func (d *drill) phase() time.Duration {
	if strict {
		return 1200 * time.Millisecond
	}
	return 800 * time.Millisecond
}

// hold lets the crowd go on for a while.
func (d *drill) hold(t *testing.T, while time.Duration) {
	t.Helper()
	select {
	case <-time.After(while):
	case <-t.Context().Done():
	}
}

// leave plays the last phase, sends the crowd home and asks for every session.
func (d *drill) leave(t *testing.T) {
	t.Helper()
	d.begin(after)
	d.hold(t, d.phase())
	d.crowd.end()
	d.begin(phases)
	d.sweep(t)
	if n := d.crowd.shed.Load(); n > 0 {
		t.Logf("%d requests were not made, for too many were under way", n)
	}
	d.judge(t)
}

func (d *drill) requests() requests {
	d.crowd.mu.Lock()
	defer d.crowd.mu.Unlock()
	return d.crowd.done
}

// in returns those of a phase. What was still under way when the drill began to
// strike is struck.
func (d *drill) in(rs requests, p phase) requests {
	return rs.where(func(r request) bool {
		switch struck := r.from.Add(r.took).After(d.began[during]); {
		case r.from.After(d.aside[0]) && r.from.Before(d.aside[1]):
			return false
		case !r.from.Before(d.began[after]):
			return p == after
		case struck:
			return p == during
		default:
			return p == before && r.from.After(d.began[before])
		}
	})
}

// tooLate notes a latency, where they count.
func (d *drill) tooLate(format string, args ...any) {
	if strict {
		d.late = append(d.late, fmt.Sprintf(format, args...))
	}
}
