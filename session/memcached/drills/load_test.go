package drills_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
)

// A mix says how many of a hundred requests are of which class; the rest reads.
type mix struct{ writes, logins, logouts int }

// A crowd makes requests at a steady pace, each at its time, however long others
// take: who waits for an answer keeps nobody from coming in.
type crowd struct {
	drill  *drill
	rate   float64 // per second
	mix    mix
	places chan struct{} // bounds the requests under way
	shed   atomic.Int64  // that found no place

	gate sync.RWMutex // held by the requests under way

	stop  chan struct{}
	ended sync.Once
	wg    sync.WaitGroup

	mu   sync.Mutex
	done []request
}

func (c *crowd) run(ctx context.Context) {
	c.wg.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		began, made := time.Now(), 0
		for {
			select {
			case <-c.stop:
				return
			case <-tick.C:
			}
			for due := int(c.rate * time.Since(began).Seconds()); made < due; made++ {
				c.send(ctx)
			}
		}
	})
}

func (c *crowd) end() {
	c.ended.Do(func() { close(c.stop) })
	c.wg.Wait()
}

func (c *crowd) send(ctx context.Context) {
	p := c.drill.processes[rand.N(2)]
	switch n := rand.N(100); {
	case n < c.mix.logins:
		external := c.drill.externals && rand.N(5) == 0
		c.ask(login, nil, p, func() error { return c.drill.login(ctx, p, external) })
	case n < c.mix.logins+c.mix.logouts:
		g := c.drill.book.pick()
		c.ask(logout, g, p, func() error { return c.drill.logout(ctx, p, g) })
	case n < c.mix.logins+c.mix.logouts+c.mix.writes:
		g := c.drill.book.pick()
		c.ask(write, g, p, func() error { return c.drill.write(ctx, p, g) })
	default:
		g := c.drill.book.pick()
		c.ask(read, g, p, func() error { return c.drill.read(ctx, p, g) })
	}
}

// ask makes a request beside the others, and notes what became of it.
func (c *crowd) ask(class class, g *guest, p *process, do func() error) {
	select {
	case c.places <- struct{}{}:
	default:
		c.shed.Add(1)
		return
	}
	c.wg.Go(func() {
		c.gate.RLock()
		defer c.gate.RUnlock()
		r := request{class: class, touched: g != nil && g.touched, struck: g != nil && g.struck, from: time.Now()}
		r.err = do()
		r.took = time.Since(r.from)
		if r.err != nil {
			r.failed = kindOf(r.err)
		}
		<-c.places
		c.mu.Lock()
		c.done = append(c.done, r)
		c.mu.Unlock()
	})
}

// waitsFor has the crowd wait outside, and those inside go, before something is done.
func (c *crowd) waitsFor(something func()) {
	c.gate.Lock()
	defer c.gate.Unlock()
	something()
}

// pick chooses a guest that is not past its deadline: mostly any, at times one of
// the last few, so that requests meet.
func (b *book) pick() *guest {
	b.mu.Lock()
	defer b.mu.Unlock()
	soon := time.Now().Add(20 * time.Millisecond)
	for b.first < len(b.guests)-1 && soon.After(b.guests[b.first].deadline) {
		b.first++
	}
	n := len(b.guests) - b.first
	if rand.N(8) == 0 {
		return b.guests[len(b.guests)-1-rand.N(min(n, 16))]
	}
	return b.guests[b.first+rand.N(n)]
}

// fill begins a number of sessions before anything is measured.
func (d *drill) fill(t *testing.T, sessions int) {
	t.Helper()
	var left atomic.Int64
	left.Store(int64(sessions))
	await.Together(16, func(i int) {
		for left.Add(-1) >= 0 && !t.Failed() {
			external := d.externals && rand.N(20) == 0
			if err := patiently(func() error { return d.login(t.Context(), d.processes[i%2], external) }); err != nil {
				t.Errorf("a login before the drill: %v", err)
			}
		}
	})
	if t.Failed() {
		t.FailNow()
	}
}

// sweep asks both processes for every session. All of the cluster is up: each
// is there or is not.
func (d *drill) sweep(t *testing.T) {
	t.Helper()
	guests := d.book.all()
	var next atomic.Int64
	await.Together(16, func(int) {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(guests) {
				return
			}
			for _, p := range d.processes {
				if err := patiently(func() error { return d.see(t.Context(), p, guests[i]) }); err != nil {
					t.Errorf("sweep: %v", err)
				}
			}
		}
	})
}

// patiently tries what is not part of the drill again, should a busy machine have
// let it wait for too long.
func patiently(try func() error) (err error) {
	for range 3 {
		if err = try(); err == nil {
			return nil
		}
	}
	return err
}
