package drills_test

import (
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// victim is the node that the drill strikes, if it is one.
const victim = "n1"

// five starts a cluster of five with the victim's arguments.
func (d *drill) five(t *testing.T, args ...string) {
	t.Helper()
	d.cluster = startNodes(t, 5, func(name string) []string {
		if name == victim {
			return args
		}
		return nil
	})
	d.aims(victim)
}

func (d *drill) aims(name string) {
	d.where = "on " + name
	d.strikes = func(key string) bool { return owner(d.names, key) == name }
}

func killed(t *testing.T, d *drill) {
	d.five(t)
	d.open(t, d.names, lives)
	d.enter(t)

	d.begin(during)
	d.servers[victim].Stop()
	d.awaitDown(t, victim)
	d.hold(t, d.phase())
	d.servers[victim].Restart()
	listens := time.Now()
	used := d.awaitUp(t)
	again, listensAgain := d.unnoticed(t)
	d.leave(t)

	d.spares(t)
	d.recovers(t, listens, used)
	d.loses(t, again, listensAgain)
	d.share(t, 1./5, 0.03, d.began[during])
	d.unmoved()
}

// unnoticed restarts the victim while nobody asks it anything: all connections to
// it are dead, and the next requests are the first to find out. As the crowd
// gathers meanwhile, their latencies are no measure of anything.
func (d *drill) unnoticed(t *testing.T) (began, listens time.Time) {
	t.Helper()
	d.aside[0] = time.Now()
	guests := d.book.all()
	await.Together(32, func(i int) {
		for _, g := range guests[i*64 : (i+1)*64] {
			_ = d.see(t.Context(), d.processes[i%2], g) // for the connections
		}
	})
	d.crowd.waitsFor(func() {
		began = time.Now()
		d.servers[victim].Restart()
		listens = time.Now()
	})
	d.hold(t, 100*time.Millisecond)
	d.aside[1] = time.Now()
	return began, listens
}

func allRestarted(t *testing.T, d *drill) {
	d.cluster = startNodes(t, 5, noArgs)
	d.where, d.strikes = "on any", func(string) bool { return true }
	d.open(t, d.names, lives)
	d.enter(t)

	d.begin(during)
	for _, server := range d.servers {
		server.Stop()
	}
	for _, server := range d.servers {
		server.Restart()
	}
	listen := time.Now()
	used := d.awaitUp(t)
	d.leave(t)

	d.recovers(t, listen, used)
	d.loses(t, d.began[during], listen)
	d.share(t, 1, 0, d.began[during])
}

func restartedWarm(t *testing.T, d *drill) {
	d.five(t, "-e", memcachedtest.MemoryFile(t))
	d.open(t, d.names, lives)
	d.enter(t)

	d.begin(during)
	d.servers[victim].Shutdown()
	d.servers[victim].Restart()
	listens := time.Now()
	used := d.awaitUp(t)
	d.leave(t)

	d.spares(t)
	d.recovers(t, listens, used)
	d.losesNone(t)
}
