package histories_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/histories"
)

const (
	racesAtOnce = 24
	contenders  = 3
)

func TestRaces(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		races  int
		faults histories.Faults
	}{
		{"S7 S8 in no race is revived what was destroyed or revoked", 10_000 / share, histories.Faults{Delay: 300}},
		{"S7 S8 M13 nor where answers are lost", 3_000 / share, histories.Faults{Delay: 300, Refuse: 10, Lose: 20, Late: 20, SpareSubjects: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var sum tally
			stores, _ := clients(t, 2)
			for _, refresh := range []time.Duration{1, 0} { // every read writes; few do
				for _, sealed := range []bool{false, true} {
					runRaces(t, raceConfig{stores, test.races / 4, test.faults, refresh, sealed}, &sum)
				}
			}
			t.Logf("%+v", &sum)
			if n := sum.renewedFirst.Load(); int(n) < test.races/50 {
				t.Errorf("only %d races were close: a renewal came before the end", n)
			}
		})
	}
}

// tally counts how races went, to see that they were close.
type tally struct {
	races        atomic.Int64
	renewedFirst atomic.Int64 // what was ended had gone on under another ID
	beaten       atomic.Int64 // contenders that were told ErrGone
	unclear      atomic.Int64 // contenders that were told ErrUnavailable
	endedAgain   atomic.Int64 // an end had no answer, and was asked for once more
}

func (s *tally) String() string {
	return fmt.Sprintf("%d races; in %d a renewal came first; %d contenders beaten, %d without an answer; %d ends repeated",
		s.races.Load(), s.renewedFirst.Load(), s.beaten.Load(), s.unclear.Load(), s.endedAgain.Load())
}

type raceConfig struct {
	stores  []session.Store
	races   int
	faults  histories.Faults
	refresh time.Duration
	sealed  bool
}

// runRaces runs races, some at a time.
func runRaces(t *testing.T, cfg raceConfig, sum *tally) {
	t.Helper()
	sc := session.Config{RefreshAfter: cfg.refresh}
	if cfg.sealed {
		sc.SealKeys = []session.SealKey{session.GenerateSealKey()}
	}
	after := processes(t, sc, cfg.stores[0])[0] // whose store never fails
	numbers := make(chan int)
	var wg sync.WaitGroup
	for range racesAtOnce {
		wg.Go(func() {
			for range numbers {
				r := race{tally: sum, rng: rand.New(rand.NewPCG(rand.Uint64(), 0)), after: after}
				r.managers = r.processes(t, sc, cfg)
				r.run(t)
			}
		})
	}
	for n := range cfg.races {
		numbers <- n
	}
	close(numbers)
	wg.Wait()
}

// A race is one session that somebody ends while others use it.
type race struct {
	*tally
	rng      *rand.Rand
	managers []*session.Manager
	faulty   []*histories.Faulty
	after    *session.Manager
	subject  string
}

// processes makes managers of the race's own, whose stores draw its own faults.
func (r *race) processes(t *testing.T, sc session.Config, cfg raceConfig) []*session.Manager {
	stores := make([]session.Store, len(cfg.stores))
	for i, s := range cfg.stores {
		f := histories.NewFaulty(s, cfg.faults, r.rng.Uint64())
		stores[i], r.faulty = f, append(r.faulty, f)
	}
	return processes(t, sc, stores...)
}

func (r *race) manager() *session.Manager { return r.managers[r.rng.IntN(len(r.managers))] }

func (r *race) run(t *testing.T) {
	r.races.Add(1)
	r.subject = fmt.Sprint(r.rng.Uint64())
	c := started(t, r.after, func(s *session.Session) { s.SetSubject(r.subject); s.AllowToken() })
	end := r.ender(t, c)
	var acts []func(context.Context) session.Credential
	for range contenders {
		acts = append(acts, r.contender(t, c))
	}

	held := make([]session.Credential, contenders+1)
	var wg sync.WaitGroup
	request := func(do func(context.Context)) {
		ctx, cancel := r.closedTab(t.Context())
		wg.Go(func() {
			defer cancel()
			do(ctx)
		})
	}
	turn := r.rng.IntN(contenders) // the scheduler lets the last one begin first, mostly
	for i, act := range acts {
		if i == turn {
			request(end)
		}
		request(func(ctx context.Context) { held[i] = act(ctx) })
	}
	wg.Wait()
	for _, f := range r.faulty {
		f.Wait()
	}
	held[contenders] = c
	r.wantDead(t, held)
}

// closedTab returns a context that is cancelled in some races: before it is
// used, or while it is.
func (r *race) closedTab(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	switch r.rng.IntN(4) {
	case 0:
		cancel()
	case 1:
		time.AfterFunc(time.Duration(r.rng.IntN(1000))*time.Microsecond, cancel)
	}
	return ctx, cancel
}

// ender returns what ends the session: it returns when it was told that it did.
func (r *race) ender(t *testing.T, c session.Credential) func(context.Context) {
	m := r.manager()
	var end func(context.Context) error
	switch r.rng.IntN(3) {
	case 0:
		s := loadAtLast(t, r.manager(), c)
		s.Destroy()
		end = s.Commit
	case 1:
		end = func(ctx context.Context) error { return m.Revoke(ctx, r.subject, c.ID()) }
	default:
		end = func(ctx context.Context) error { return m.RevokeAll(ctx, r.subject) }
	}
	return func(ctx context.Context) {
		err := end(ctx)
		for again := 0; errors.Is(err, session.ErrUnavailable) && again < 20; again++ {
			r.endedAgain.Add(1)
			err = end(ctx)
		}
		if err != nil {
			t.Errorf("the end of the session: %v", err)
		}
	}
}

// contender returns what a request that was there before does to the session:
// it returns the credential that came of it.
func (r *race) contender(t *testing.T, c session.Credential) func(context.Context) session.Credential {
	s := loadAtLast(t, r.manager(), c)
	switch r.rng.IntN(4) {
	case 0, 1:
		s.Renew()
	case 2:
		count.Update(s, func(n int) int { return n + 1 })
	default: // only a read
	}
	again := r.rng.IntN(2) == 0
	return func(ctx context.Context) session.Credential {
		err := s.Commit(ctx)
		if err == nil && again { // and once more, over what it has written
			held := s.Credential()
			s.Renew()
			if err = s.Commit(ctx); err != nil {
				r.count(t, err)
				return held
			}
		}
		r.count(t, err)
		return s.Credential()
	}
}

func (r *race) count(t *testing.T, err error) {
	switch {
	case errors.Is(err, session.ErrGone):
		r.beaten.Add(1)
	case errors.Is(err, session.ErrUnavailable):
		r.unclear.Add(1)
	case err != nil:
		t.Errorf("a contender: %v", err)
	}
}

// wantDead looks whether anything that a client holds opens a session.
func (r *race) wantDead(t *testing.T, held []session.Credential) {
	renewedFirst := false
	for _, c := range held {
		_, err := r.after.Load(t.Context(), c)
		if !errors.Is(err, session.ErrNotFound) && !errors.Is(err, session.ErrRenewed) {
			t.Errorf("a credential of an ended session gives %v", err)
		}
		renewedFirst = renewedFirst || errors.Is(err, session.ErrRenewed)
		if c.IsZero() {
			continue
		}
		if _, err := r.after.LoadVerified(t.Context(), c.ID()); !errors.Is(err, session.ErrNotFound) && !errors.Is(err, session.ErrRenewed) {
			t.Errorf("a token of an ended session gives %v", err)
		}
	}
	if live, err := r.after.List(t.Context(), r.subject); err != nil || len(live) > 0 {
		t.Errorf("still listed: %v, %v", live, err)
	}
	if renewedFirst {
		r.renewedFirst.Add(1)
	}
}
