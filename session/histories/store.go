package histories

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// Faults say how many of 1,000 calls of a store go wrong, and how. Zero is a
// store without faults.
type Faults struct {
	Delay  int // takes up to 2 ms longer, before it is made or after
	Refuse int // fails and is never applied
	Lose   int // is applied, and then fails: the answer is lost
	Late   int // fails, and is applied up to 8 ms after that (of a Get: as Refuse)

	// Limit bounds how many calls fail altogether. Zero means no limit.
	Limit int

	// SpareSubjects keeps calls for the lists of subjects' sessions from failing.
	SpareSubjects bool
}

// ErrInjected is what calls fail with that a Faulty store makes fail.
var ErrInjected = errors.New("histories: injected fault")

// A Faulty store is another one with faults. Make it by NewFaulty. It is safe
// for concurrent use and must not be copied.
type Faulty struct {
	store  session.Store
	faults Faults
	late   sync.WaitGroup

	mu     sync.Mutex
	rng    *rand.Rand
	failed int
}

var (
	_ session.Store        = (*Faulty)(nil)
	_ session.Availability = (*Faulty)(nil)
	_ session.ValueLimit   = (*Faulty)(nil)
)

// NewFaulty returns a store that keeps everything in s. Two with the same seed
// draw the same faults for the same sequence of calls.
func NewFaulty(s session.Store, f Faults, seed uint64) *Faulty {
	return &Faulty{store: s, faults: f, rng: random(seed, 0)}
}

// Wait returns when all calls that were to be applied late have been.
func (f *Faulty) Wait() { f.late.Wait() }

// Failed returns how many calls failed.
func (f *Faulty) Failed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// Get implements [session.Store].
func (f *Faulty) Get(ctx context.Context, key string) (value []byte, version uint64, err error) {
	err = f.do(ctx, key, func(ctx context.Context) (err error) {
		value, version, err = f.store.Get(ctx, key)
		return err
	}, false)
	if err != nil {
		return nil, 0, err
	}
	return value, version, nil
}

// Create implements [session.Store].
func (f *Faulty) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	value = slices.Clone(value) // it may be sent when the caller has it back
	return f.do(ctx, key, func(ctx context.Context) error { return f.store.Create(ctx, key, value, ttl) }, true)
}

// Update implements [session.Store].
func (f *Faulty) Update(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
	value = slices.Clone(value)
	return f.do(ctx, key, func(ctx context.Context) error { return f.store.Update(ctx, key, value, version, ttl) }, true)
}

// Delete implements [session.Store].
func (f *Faulty) Delete(ctx context.Context, key string) error {
	return f.do(ctx, key, func(ctx context.Context) error { return f.store.Delete(ctx, key) }, true)
}

// Available implements [session.Availability] with the store's, if it has one.
func (f *Faulty) Available(key string) bool {
	s, ok := f.store.(session.Availability)
	return !ok || s.Available(key)
}

// MaxValueBytes implements [session.ValueLimit] with the store's, if it has one.
func (f *Faulty) MaxValueBytes(key string) int {
	if s, ok := f.store.(session.ValueLimit); ok {
		return s.MaxValueBytes(key)
	}
	return math.MaxInt
}

// fate is what becomes of one call.
type fate struct {
	refuse, lose, late bool
	before, after      time.Duration
}

// draw decides on a fate. It always draws as many numbers, so that a fault
// more or less doesn't change all that come later.
func (f *Faulty) draw(key string) fate {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, slow, wait, first := f.rng.IntN(1000), f.rng.IntN(1000), f.rng.ExpFloat64(), f.rng.IntN(2) == 0
	var a fate
	delay := min(time.Duration(wait*float64(300*time.Microsecond)), 2*time.Millisecond)
	switch {
	case slow >= f.faults.Delay:
	case first:
		a.before = delay
	default:
		a.after = delay
	}
	if f.faults.Limit > 0 && f.failed >= f.faults.Limit || f.faults.SpareSubjects && isIndex(key) {
		return a
	}
	switch p := f.faults; {
	case n < p.Refuse:
		a.refuse = true
	case n < p.Refuse+p.Lose:
		a.lose = true
	case n < p.Refuse+p.Lose+p.Late:
		a.late, a.before = true, 4*delay
	default:
		return a
	}
	f.failed++
	return a
}

// isIndex tells a subject's list from a session, whose key has one colon.
func isIndex(key string) bool { return strings.Contains(key, ":subject:") }

func (f *Faulty) do(ctx context.Context, key string, call func(context.Context) error, changes bool) error {
	a := f.draw(key)
	switch {
	case a.late && changes:
		ctx := context.WithoutCancel(ctx)
		f.late.Go(func() {
			if pause(ctx, a.before) == nil {
				_ = call(ctx) // nobody waits for the answer any more
			}
		})
		return ErrInjected
	case a.late, a.refuse:
		return ErrInjected
	}
	if err := pause(ctx, a.before); err != nil {
		return err
	}
	err := call(ctx)
	if a.lose {
		return ErrInjected
	}
	if late := pause(ctx, a.after); late != nil {
		return late
	}
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(t error) bool { return errors.Is(err, t) })
}
