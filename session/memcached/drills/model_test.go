package drills_test

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

const (
	owning  session.Key[string] = "owner"
	counter session.Key[int]    = "counter"
)

// A guest is one session, and all that is known of it from outside: what it was
// given, what was asked of it, and what it was seen to be. Each answer is held
// against that, by when its request began and ended.
type guest struct {
	id         session.ID
	credential session.Credential
	owner      string
	subject    string
	external   bool
	deadline   time.Time
	asked      time.Time // when its login began
	stands     time.Time // when that had succeeded

	struck  bool // its record lies where the drill strikes
	touched bool // that does, or its subject's list

	mu      sync.Mutex
	leaving bool      // a logout was attempted
	left    time.Time // when the first successful one was done
	gone    time.Time // when it was first seen to be gone,
	asking  time.Time // by a request that began then
	lost    bool
	sent    int // increments that were, or may have been, carried out
	counted int // those that were reported done
}

// A look is a request for a guest as it begins.
type look struct {
	from  time.Time
	least int // what the counter must be at least
}

func (g *guest) look() look {
	g.mu.Lock()
	defer g.mu.Unlock()
	return look{from: time.Now(), least: g.counted}
}

func (g *guest) isLeaving() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.leaving
}

// A book holds all guests of a drill, and what was wrong with them.
type book struct {
	mu      sync.RWMutex
	guests  []*guest
	first   int       // those before it are past their deadline
	settled time.Time // since when all processes have the same nodes

	wrong struct {
		sync.Mutex
		lost, revived, mixed, miscounted int
		said                             []string
	}
}

func (b *book) add(g *guest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.guests = append(b.guests, g)
}

func (b *book) all() []*guest {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.Clip(b.guests)
}

// An abrupt change of nodes begins and is settled when all processes have the
// same list again. In between, one that has the new list does not find what one
// that has the old list still does, or the other way round: that a session is
// gone, seen by a request that began before all is settled, says nothing.
func (b *book) unsettle() { b.settle(time.Now().Add(time.Hour)) }

func (b *book) settle(when time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settled = when
}

func (b *book) settledAt() time.Time {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.settled
}

func (b *book) violation(count *int, g *guest, format string, args ...any) {
	b.wrong.Lock()
	defer b.wrong.Unlock()
	*count++
	if len(b.wrong.said) < 20 {
		b.wrong.said = append(b.wrong.said, fmt.Sprintf("session %s of %s: ", g.id, g.owner)+fmt.Sprintf(format, args...))
	}
}

// found judges a live session that was the answer to a look.
func (b *book) found(g *guest, l look, s *session.Session) {
	who, _ := owning.Get(s)
	if who != g.owner || s.ID() != g.id || s.Subject() != g.subject {
		b.violation(&b.wrong.mixed, g, "it shows %q, %s, subject %q", who, s.ID(), s.Subject())
		return
	}
	n, _ := counter.Get(s)
	g.mu.Lock()
	most := g.sent
	g.mu.Unlock()
	if n < l.least || n > most {
		b.violation(&b.wrong.miscounted, g, "its counter is %d, not from %d to %d", n, l.least, most)
	}
	b.alive(g, l.from)
}

// alive judges that a session was alive for a request that began then.
func (b *book) alive(g *guest, from time.Time) {
	settled := b.settledAt()
	g.mu.Lock()
	left, gone, asking := g.left, g.gone, g.asking
	g.mu.Unlock()
	switch {
	case !left.IsZero() && left.Before(from):
		b.violation(&b.wrong.revived, g, "alive %v after its logout", from.Sub(left))
	case !gone.IsZero() && gone.Before(from) && asking.After(settled):
		b.violation(&b.wrong.revived, g, "alive %v after it was gone", from.Sub(gone))
	case from.After(g.deadline):
		b.violation(&b.wrong.revived, g, "alive %v after its deadline", from.Sub(g.deadline))
	}
}

// missed judges that a session was not found, by a request that is answered now.
// If nobody asked for its end it is lost.
func (b *book) missed(g *guest, from time.Time) {
	now, settled := time.Now(), b.settledAt()
	if !now.Before(g.deadline) {
		return
	}
	g.mu.Lock()
	if g.gone.IsZero() || !g.asking.After(settled) {
		g.gone, g.asking = now, from
	}
	news := !g.leaving && !g.lost
	g.lost = g.lost || news
	g.mu.Unlock()
	if news {
		b.wrong.Lock()
		b.wrong.lost++
		b.wrong.Unlock()
	}
}
