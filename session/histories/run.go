package histories

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/coatcheck/coatcheck/session"
)

// Config says what Run does. Of the zero values only that of Stores is wrong.
type Config struct {
	// Stores are what the managers are over, one for each process that is
	// played: each its own client of the same server.
	Stores []session.Store

	// Seed decides on the first episode: on what its requests ask for and how
	// often its store fails. The second one has the next seed, and so on. When
	// what happens is up to the scheduler and the server, so that a seed has to
	// be run several times to see the same again.
	Seed uint64

	// Episodes is how many are run. Zero means as many as Operations takes, or one.
	Episodes int

	// Operations is how many loads, commits and revocations are recorded at least.
	Operations int

	// Plain leaves out seal keys, with which every second episode runs.
	Plain bool

	// Plant stands between managers and their failing stores. A test of the
	// checker plants a bug by it. Nil plants nothing.
	Plant func(session.Store) session.Store
}

// Stats are what a Run did.
type Stats struct {
	Episodes   int
	Sessions   int // that were begun
	Operations int // loads, commits and revocations, without loads that failed
	Faults     int // calls of the store that failed

	// Results counts the entries of histories by what they are and how they
	// ended, such as "commit gone"; under "conflict" also the commits that
	// met others. It shows that what should be checked did happen.
	Results map[string]int
}

// A ViolationError is a history that no order of its operations explains.
type ViolationError struct {
	Seed uint64 // of the episode
	Err  error  // what was wrong with it, in full
}

func (v *ViolationError) Error() string {
	return fmt.Sprintf("episode with seed %d: %v\nTo run it again, some hundred times: go test -run TestHistories -seed %d -repeat 300", v.Seed, v.Err, v.Seed)
}

func (v *ViolationError) Unwrap() error { return v.Err }

// abreast is how many episodes run at a time: they mostly wait.
const abreast = 12

// Run plays episodes and checks each one's history. It ends with the first
// that can't be explained, a *[ViolationError], or when ctx does.
func Run(ctx context.Context, cfg Config) (Stats, error) {
	if len(cfg.Stores) == 0 {
		return Stats{}, errors.New("histories: Config.Stores is empty")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &run{cfg: cfg}
	var wg sync.WaitGroup
	for range abreast {
		wg.Go(func() {
			for seed, more := r.next(); more && ctx.Err() == nil; seed, more = r.next() {
				if err := r.episode(ctx, seed); err != nil {
					cancel(&ViolationError{seed, err})
				}
			}
		})
	}
	wg.Wait()
	return r.stats, context.Cause(ctx)
}

// run is the state of one Run.
type run struct {
	cfg Config

	mu      sync.Mutex
	started uint64
	stats   Stats
}

// next returns the seed of the next episode, or false when enough was done.
func (r *run) next() (uint64, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.started >= uint64(max(r.cfg.Episodes, 1)) && r.stats.Operations >= r.cfg.Operations {
		return 0, false
	}
	r.started++
	return r.cfg.Seed + r.started - 1, true
}

func (r *run) episode(ctx context.Context, seed uint64) error {
	e, err := newEpisode(r.cfg, seed)
	if err != nil {
		return err
	}
	e.play(ctx)
	if ctx.Err() != nil {
		return nil // cut short: another episode was found wrong, or time is up
	}
	err = e.check()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.add(e)
	return err
}

func (s *Stats) add(e *episode) {
	s.Episodes++
	s.Sessions += len(e.lines)
	for _, f := range e.faulty {
		s.Faults += f.Failed()
	}
	if s.Results == nil {
		s.Results = map[string]int{}
	}
	s.Results["conflict"] += e.conflicts
	var last int64
	for _, o := range e.history.all() {
		s.Results[string(o.kind)+" "+string(o.result)]++
		if o.call != last {
			s.Operations++ // a call that made two entries is one
		}
		last = o.call
	}
}

// weathers are the ways in which stores behave, one for each episode.
var weathers = []Faults{
	{Delay: 300, SpareSubjects: true},
	{Delay: 300, Refuse: 20, Lose: 20, Late: 20, SpareSubjects: true, Limit: 8},
	{Delay: 300, Refuse: 10, Lose: 10, Late: 10, Limit: 10},
	{Delay: 100, Refuse: 60, Lose: 60, Late: 120, Limit: 16},
	{Delay: 100, Refuse: 100, Lose: 50, Late: 250, Limit: 24},
}

// random returns what is drawn from for a seed.
func random(seed, stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, stream)) //nolint:gosec // it has to repeat itself, and nothing here is a secret
}

func draw[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }
