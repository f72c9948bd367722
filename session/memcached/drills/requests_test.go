package drills_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/coatcheck/coatcheck/session"
)

type class string

const (
	read   class = "read"
	write  class = "write"
	login  class = "login"
	logout class = "logout"
)

// A failure is a kind of them; "" is success.
type failure string

const (
	timeout  failure = "timeout"
	down     failure = "down"
	crowded  failure = "crowded"
	refused  failure = "refused"
	broken   failure = "broken"
	conflict failure = "conflict"
	other    failure = "other"
)

// kinds are all failures, in the order of the table, and what it says of them.
var kinds = []struct {
	failure
	means string
}{
	{timeout, "no answer in time"},
	{down, "refused at once, for the node is known to be down"},
	{crowded, "no connection came free"},
	{refused, "nobody listens"},
	{broken, "the connection ended: EOF, ECONNRESET, EPIPE"},
	{conflict, "two writers of an entry with two owners"},
	{other, "anything else"},
}

// kindOf tells by the breaker's words first: it wraps why it opened.
func kindOf(err error) failure {
	says := func(words string) bool { return strings.Contains(err.Error(), words) }
	switch {
	case says("is down") || says("went down meanwhile"):
		return down
	case errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded):
		return timeout
	case says("all connections are in use"):
		return crowded
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused
	case says("EOF") || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed):
		return broken
	case says("was written by another") || says("no end of") || says("overtaken"):
		return conflict
	default:
		return other
	}
}

// A request is one that was made.
type request struct {
	class   class
	struck  bool // its session lies where the drill strikes
	touched bool // that does, or something else that it needs; of a login neither is known
	from    time.Time
	took    time.Duration
	failed  failure
	err     error
}

// read is what a request does that changes nothing: its commit may record activity.
func (d *drill) read(ctx context.Context, p *process, g *guest) error {
	return d.load(ctx, p, g, func(s *session.Session) error { return s.Commit(ctx) })
}

// see is read without recording activity.
func (d *drill) see(ctx context.Context, p *process, g *guest) error {
	return d.load(ctx, p, g, func(*session.Session) error { return nil })
}

// load has a request show a session, and do something with it if it is live.
func (d *drill) load(ctx context.Context, p *process, g *guest, then func(*session.Session) error) error {
	look := g.look()
	var s *session.Session
	var err error
	if g.external {
		if s, err = p.manager.LoadExternal(ctx, g.id); err == nil && !s.Stored() {
			err = session.ErrNotFound
		}
	} else {
		s, err = p.manager.Load(ctx, g.credential)
	}
	switch {
	case errors.Is(err, session.ErrNotFound):
		d.book.missed(g, look.from)
		return nil
	case err != nil:
		return err
	}
	d.book.found(g, look, s)
	return then(s)
}

func (d *drill) write(ctx context.Context, p *process, g *guest) error {
	return d.load(ctx, p, g, func(s *session.Session) error {
		g.mu.Lock()
		g.sent++
		g.mu.Unlock()
		counter.Update(s, func(n int) int { return n + 1 })
		from := time.Now()
		err := s.Commit(ctx)
		switch {
		case err == nil:
			g.mu.Lock()
			g.counted++
			g.mu.Unlock()
			d.book.alive(g, from)
		case errors.Is(err, session.ErrGone):
			g.mu.Lock()
			g.sent--
			g.mu.Unlock()
			d.book.missed(g, from)
			return nil
		}
		return err
	})
}

func (d *drill) logout(ctx context.Context, p *process, g *guest) error {
	return d.load(ctx, p, g, func(s *session.Session) error {
		g.mu.Lock()
		g.leaving = true
		g.mu.Unlock()
		s.Destroy()
		from := time.Now()
		err := s.Commit(ctx)
		now := time.Now()
		switch {
		case err == nil:
			g.mu.Lock()
			if g.left.IsZero() {
				g.left = now
			}
			g.mu.Unlock()
		case errors.Is(err, session.ErrGone):
			d.book.missed(g, from)
			return nil
		}
		return err
	})
}

// login begins a session. One in four has a subject, and so an entry in the list
// of that subject's sessions, on a node of its own.
func (d *drill) login(ctx context.Context, p *process, external bool) error {
	n := d.logins.Add(1)
	g := &guest{owner: fmt.Sprint("owner ", n), external: external, asked: time.Now()}
	s := p.manager.New()
	if external {
		var err error
		if s, err = p.manager.LoadExternal(ctx, d.externalID()); err != nil {
			return err
		}
		if s.Stored() {
			d.book.violation(&d.book.wrong.mixed, g, "a new external session is stored already")
			return nil
		}
	}
	owning.Put(s, g.owner)
	counter.Put(s, 0)
	if n%4 == 0 && !external {
		g.subject = fmt.Sprint("subject ", n)
		s.SetSubject(g.subject)
	}
	if err := s.Commit(ctx); err != nil {
		return err
	}
	g.stands = time.Now()
	g.id, g.credential, g.deadline = s.ID(), s.Credential(), s.IdleDeadline()
	g.struck = d.strikes(recordKey(g.id))
	g.touched = g.struck || g.subject != "" && d.strikes(indexKey(d.seal, g.subject))
	d.book.add(g)
	return nil
}

// externalID draws the ID of an external session. Half of them lie where the
// drill strikes, for what matters happens there.
func (d *drill) externalID() session.ID {
	wanted := rand.N(2) == 0
	for {
		id := session.ID(uuid.New())
		id[6] = id[6]&0x0f | 0x80
		if !wanted || d.strikes(recordKey(id)) {
			return id
		}
	}
}
