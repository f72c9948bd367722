package histories

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

const (
	clients  = 6  // goroutines of an episode
	requests = 25 // of each of them
)

// An episode is a few sessions, and some clients that hold all of their
// credentials, for some hundred operations.
type episode struct {
	seed     uint64
	suffix   string // of its subjects' names, which are no other episode's
	faulty   []*Faulty
	managers []*session.Manager
	after    *session.Manager // whose store never fails: to see how it ended
	certain  bool             // subjects' lists never fail
	history  history
	numbers  atomic.Int64 // drawn for values

	mu      sync.Mutex
	lines   []*line
	tickets []*ticket // all that a client was given
	issued  int       // tickets, those included that no client got
	renewed map[session.ID]session.ID
	created map[session.ID]bool
	errs    []error

	conflicts int
}

func newEpisode(cfg Config, seed uint64) (*episode, error) {
	rng := random(seed, 0)
	weather := draw(rng, weathers)
	e := &episode{
		seed: seed, suffix: " " + crand.Text(), certain: weather.SpareSubjects,
		renewed: map[session.ID]session.ID{}, created: map[session.ID]bool{},
	}
	c := session.Config{
		CommitTimeout: 30 * time.Second, // the faults decide who gets no answer, not a slow machine
		Observe:       e.observe,
	}
	if seed%2 == 1 && !cfg.Plain {
		c.SealKeys = []session.SealKey{session.GenerateSealKey(), session.GenerateSealKey()}
	}
	if rng.IntN(2) == 0 {
		c.RefreshAfter = 1 // every read writes
	}
	for i, s := range cfg.Stores {
		f := NewFaulty(s, weather, seed<<8+uint64(i))
		c.Store = f
		if cfg.Plant != nil {
			c.Store = cfg.Plant(f)
		}
		m, err := session.NewManager(c)
		if err != nil {
			return nil, err
		}
		e.faulty, e.managers = append(e.faulty, f), append(e.managers, m)
	}
	c.Store = cfg.Stores[0]
	var err error
	e.after, err = session.NewManager(c)
	return e, err
}

// play runs all requests, and then looks at what every credential opens when
// nothing is on its way any more.
func (e *episode) play(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range uint64(clients) {
		wg.Go(func() {
			rng := random(e.seed, i+1)
			for n := range requests {
				v := visit{episode: e, rng: rng, by: fmt.Sprintf("client %d request %d", i, n)}
				v.serve(ctx)
			}
		})
	}
	wg.Wait()
	for _, f := range e.faulty {
		f.Wait()
	}
	for _, t := range e.held() {
		v := visit{episode: e, by: "in the end", m: e.after, shown: t}
		v.load(ctx, false)
		if t.token {
			v.load(ctx, true)
		}
	}
}

// check fits each session's history to the model. Of those that don't fit, the
// shortest is reported: it is read by somebody.
func (e *episode) check() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var worst error
	wrong, shortest := 0, 0
	for _, l := range e.lines {
		ops := e.history.of(l, e.tickets)
		err := check(ops)
		if err == nil {
			continue
		}
		wrong++
		if worst == nil || len(ops) < shortest {
			worst, shortest = fmt.Errorf("session %d: %w", l.number, err), len(ops)
		}
	}
	if wrong > 1 {
		worst = fmt.Errorf("%d sessions are wrong, such as %w", wrong, worst)
	}
	return errors.Join(append(e.errs, worst)...)
}

// observe keeps what tells a renewal from a new session, and what should not be.
func (e *episode) observe(_ context.Context, ev session.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch ev.Kind {
	case session.Renewed:
		e.renewed[ev.Successor] = ev.ID
	case session.Created:
		e.created[ev.ID] = true
	case session.Conflict:
		e.conflicts++
	case session.Unreadable:
		e.errs = append(e.errs, fmt.Errorf("unreadable %s %v: %w", ev.Reason, ev.ID, ev.Err))
	default:
	}
}

func (e *episode) fail(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.errs = append(e.errs, fmt.Errorf(format, args...))
}

// origin tells where a credential that a commit gave came from.
func (e *episode) origin(id session.ID) (from session.ID, begun bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.renewed[id], e.created[id]
}

// newLine numbers a session that has begun.
func (e *episode) newLine() *line {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := &line{len(e.lines) + 1}
	e.lines = append(e.lines, l)
	return l
}

// issue numbers a ticket, and hands it to all clients if it opens anything.
func (e *episode) issue(t ticket) *ticket {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.issued++
	t.number = e.issued
	if !t.id.IsZero() {
		e.tickets = append(e.tickets, &t)
	}
	return &t
}

func (e *episode) held() []*ticket {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clip(e.tickets)
}

// pick chooses what a client shows: mostly one of the newest credentials.
func (e *episode) pick(rng *rand.Rand) *ticket {
	held := e.held()
	if len(held) == 0 {
		return nil
	}
	if newest := 2; rng.IntN(5) > 0 && len(held) > newest {
		held = held[len(held)-newest:]
	}
	return draw(rng, held)
}

// subject draws one of an episode's users; "" is nobody.
func (e *episode) subject(rng *rand.Rand) string {
	if name := draw(rng, []string{"alice", "alice", "bob", ""}); name != "" {
		return name + e.suffix
	}
	return ""
}
