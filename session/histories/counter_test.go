package histories_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/histories"
)

const (
	counters = 64           // goroutines
	updates  = 1000 / share // of each
)

const count session.Key[int] = "count"

// processes returns a manager over each store, with the same configuration.
func processes(t *testing.T, cfg session.Config, stores ...session.Store) []*session.Manager {
	t.Helper()
	cfg.CommitTimeout = time.Minute // 32 commits may stand in line on a slow machine
	if cfg.Observe == nil {
		cfg.Observe = func(context.Context, session.Event) {}
	}
	managers := make([]*session.Manager, len(stores))
	for i, s := range stores {
		cfg.Store = s
		m, err := session.NewManager(cfg)
		if err != nil {
			t.Fatal(err)
		}
		managers[i] = m
	}
	return managers
}

// started stores a session with something in it.
func started(t *testing.T, m *session.Manager, changes ...func(*session.Session)) session.Credential {
	t.Helper()
	for {
		s := m.New()
		count.Put(s, 0)
		for _, change := range changes {
			change(s)
		}
		err := s.Commit(t.Context())
		if err == nil {
			return s.Credential()
		}
		if !errors.Is(err, session.ErrUnavailable) {
			t.Fatal(err)
		}
	}
}

func TestCounters(t *testing.T) {
	t.Parallel()
	t.Run("S17 the Updates of 64 goroutines through two managers are all counted", func(t *testing.T) {
		t.Parallel()
		stores, _ := clients(t, 2)
		managers := processes(t, session.Config{}, stores...)
		c := started(t, managers[0])
		await.Together(counters, func(g int) {
			for range updates {
				s, err := managers[g%2].Load(t.Context(), c)
				if err != nil {
					t.Error(err)
					return
				}
				count.Update(s, func(n int) int { return n + 1 })
				if err := s.Commit(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		})
		s, err := managers[1].Load(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := count.Get(s); n != counters*updates {
			t.Errorf("counted %d, want %d", n, counters*updates)
		}
	})
	t.Run("M13 S17 with a hundredth of the answers lost the count is what callers were told", func(t *testing.T) {
		t.Parallel()
		stores, _ := clients(t, 2)
		countWithLosses(t, stores)
	})
}

// ledger says which of a goroutine's Updates were applied, in runs from and to.
type ledger struct {
	Runs  [][2]int `json:"r"`
	Twice []int    `json:"t,omitempty"`
}

func (l ledger) has(n int) bool {
	return slices.ContainsFunc(l.Runs, func(r [2]int) bool { return r[0] <= n && n <= r[1] })
}

func (l ledger) with(n int) ledger {
	if l.has(n) {
		l.Twice = append(l.Twice, n)
		return l
	}
	for i, r := range l.Runs {
		if r[1] == n-1 {
			l.Runs[i][1] = n // two runs that touch now may stay two
			return l
		}
	}
	l.Runs = append(l.Runs, [2]int{n, n})
	return l
}

func (l ledger) size() (n int) {
	for _, r := range l.Runs {
		n += r[1] - r[0] + 1
	}
	return n
}

func ledgerOf(goroutine int) session.Key[ledger] {
	return session.Key[ledger](fmt.Sprint("g", goroutine))
}

// countWithLosses has each Update counted and entered under its number, in one
// commit, and then compares with what the commits returned.
func countWithLosses(t *testing.T, stores []session.Store) {
	faulty := make([]*histories.Faulty, len(stores))
	lossy := make([]session.Store, len(stores))
	for i, s := range stores {
		faulty[i] = histories.NewFaulty(s, histories.Faults{Lose: 5, Refuse: 3, Late: 2}, uint64(time.Now().UnixNano()))
		lossy[i] = faulty[i]
	}
	managers := processes(t, session.Config{}, lossy...)
	c := started(t, managers[0])
	var told [counters][updates]error
	await.Together(counters, func(g int) {
		for n := range updates {
			s := loadAtLast(t, managers[g%2], c)
			if s == nil {
				return
			}
			count.Update(s, func(n int) int { return n + 1 })
			ledgerOf(g).Update(s, func(l ledger) ledger { return l.with(n) })
			told[g][n] = s.Commit(t.Context())
		}
	})
	failed := 0
	for _, f := range faulty {
		f.Wait()
		failed += f.Failed()
	}
	s, err := processes(t, session.Config{}, stores...)[0].Load(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, s, &told)
	if t.Logf("%d calls of the store had no answer", failed); failed < 1000/share {
		t.Error("that is too few to test anything")
	}
}

func compare(t *testing.T, s *session.Session, told *[counters][updates]error) {
	t.Helper()
	entered, unclear, applied := 0, 0, 0
	for g := range counters {
		l, _ := ledgerOf(g).Get(s)
		entered += l.size()
		if len(l.Twice) > 0 {
			t.Errorf("goroutine %d: %v were applied twice", g, l.Twice)
		}
		for n, err := range told[g] {
			switch {
			case errors.Is(err, session.ErrUnavailable):
				unclear++
				if l.has(n) {
					applied++
				}
			case err != nil:
				t.Errorf("goroutine %d, update %d: %v", g, n, err)
			case !l.has(n):
				t.Errorf("goroutine %d, update %d: reported as done, and lost", g, n)
			}
		}
	}
	n, _ := count.Get(s)
	if n != entered {
		t.Errorf("counted %d, entered %d", n, entered)
	}
	if least := counters*updates - unclear; n < least || n > counters*updates {
		t.Errorf("counted %d, want %d to %d", n, least, counters*updates)
	}
	if unclear == 0 || applied == unclear {
		t.Errorf("of %d updates with an unknown outcome %d were applied: that tests nothing", unclear, applied)
	}
	t.Logf("counted %d; of %d updates with an unknown outcome %d were applied", n, unclear, applied)
}

// loadAtLast loads a session from a store that fails now and then.
func loadAtLast(t *testing.T, m *session.Manager, c session.Credential) *session.Session {
	for {
		s, err := m.Load(t.Context(), c)
		switch {
		case err == nil:
			return s
		case !errors.Is(err, session.ErrUnavailable) || t.Context().Err() != nil:
			t.Error(err)
			return nil
		}
	}
}
