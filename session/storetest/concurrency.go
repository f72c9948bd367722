package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// rivals is how many calls compete. A store with a window between reading and
// writing is found out in a few of the rounds.
const (
	rivals = 16
	rounds = 20
)

var concurrencyRules = []rule{
	{"M3 of concurrent Creates exactly one succeeds", func(t *trial) {
		for round := range rounds {
			key := t.key(strconv.Itoa(round))
			t.oneWins(key, session.ErrExists, func(value []byte) error {
				return t.store.Create(t.ctx, key, value, long)
			})
		}
	}},
	{"M3 of concurrent Updates of one version exactly one succeeds", func(t *trial) {
		v := t.create(t.key("a"), []byte("one"), long)
		for range rounds {
			v = t.oneWins(t.key("a"), session.ErrConflict, func(value []byte) error {
				return t.store.Update(t.ctx, t.key("a"), value, v, long)
			})
		}
	}},
	{"M3 no concurrent change is lost", countUp},
	{"concurrent calls for different keys don't meet", func(t *trial) {
		t.together(rivals, func(i int) error { return t.lifecycle(t.key(strconv.Itoa(i))) })
	}},
}

// oneWins lets rivals call at the same time, and returns the version that the
// only one to succeed has given to its value.
func (t *trial) oneWins(key string, lost error, call func(value []byte) error) uint64 {
	t.Helper()
	var mu sync.Mutex
	var winners []string
	t.together(rivals, func(i int) error {
		value := fmt.Sprint("rival ", i)
		err := call([]byte(value))
		if errors.Is(err, lost) {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		winners = append(winners, value)
		return err
	})
	if len(winners) != 1 {
		t.Fatalf("%d of %d concurrent calls succeeded: %q", len(winners), rivals, winners)
	}
	return t.holds(key, []byte(winners[0]))
}

// countUp lets rivals count in one entry, each reading and updating until its
// own step is in.
func countUp(t *trial) {
	const steps = 10
	t.create(t.key("a"), []byte("0"), long)
	t.together(rivals, func(int) error {
		for range steps {
			if err := t.increment(t.key("a")); err != nil {
				return err
			}
		}
		return nil
	})
	t.holds(t.key("a"), []byte(strconv.Itoa(rivals*steps)))
}

func (t *trial) increment(key string) error {
	for ctx := t.ctx; ; {
		value, version, err := t.store.Get(ctx, key)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(value))
		if err != nil {
			return err
		}
		err = t.store.Update(ctx, key, []byte(strconv.Itoa(n+1)), version, long)
		if !errors.Is(err, session.ErrConflict) {
			return err
		}
	}
}

// lifecycle runs one key through all methods; together, for the race detector.
func (t *trial) lifecycle(key string) error {
	ctx := t.ctx
	for i := range rounds {
		value := fmt.Sprint(key, i)
		if err := t.store.Create(ctx, key, []byte(value), time.Minute); err != nil {
			return fmt.Errorf("Create: %w", err)
		}
		got, version, err := t.store.Get(ctx, key)
		if err != nil || string(got) != value {
			return fmt.Errorf("Get: %q, %w, want %q", got, err, value)
		}
		if err := t.store.Update(ctx, key, []byte("next"), version, time.Minute); err != nil {
			return fmt.Errorf("Update: %w", err)
		}
		if err := t.store.Delete(ctx, key); err != nil {
			return fmt.Errorf("Delete: %w", err)
		}
	}
	return nil
}

// together makes n calls of run at the same time and reports their errors.
func (t *trial) together(n int, run func(i int) error) {
	t.Helper()
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = run(i)
		})
	}
	close(start)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("%v", err)
	}
}
