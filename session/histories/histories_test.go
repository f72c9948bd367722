package histories_test

import (
	"errors"
	"flag"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/histories"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
	"github.com/coatcheck/coatcheck/session/memory"
	"github.com/coatcheck/coatcheck/session/storetest"
)

var (
	seed       = flag.Uint64("seed", 0, "of the first episode; 0: by the clock")
	repeat     = flag.Int("repeat", 0, "run the episode of -seed so many times, and no other")
	operations = flag.Int("operations", 100_000/share, "that TestHistories checks at least")
)

// clients returns so many stores, each as another process would have it, over
// one memcached of the test's own.
func clients(t *testing.T, n int) ([]session.Store, *memcachedtest.Server) {
	t.Helper()
	server := memcachedtest.Start(t, "-m", "256")
	stores := make([]session.Store, n)
	for i := range stores {
		s, err := memcached.New(memcached.Config{
			Nodes:   []string{server.Addr()},
			Timeout: 10 * time.Second, // the faults decide what gets no answer, not a slow machine
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		stores[i] = s
	}
	return stores, server
}

func TestHistories(t *testing.T) {
	t.Parallel()
	t.Run("S8 S7 S17 M13 every history has an explanation", func(t *testing.T) {
		t.Parallel()
		stores, _ := clients(t, 2)
		cfg := histories.Config{Stores: stores, Seed: *seed, Operations: *operations}
		if cfg.Seed == 0 {
			cfg.Seed = uint64(time.Now().UnixNano())
		}
		runs := 1
		if *repeat > 0 {
			cfg.Operations, runs = 0, *repeat
		}
		for range runs {
			stats, err := histories.Run(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("seed %d: %+v", cfg.Seed, stats)
			if stats.Operations < cfg.Operations {
				t.Errorf("%d operations were checked, want %d", stats.Operations, cfg.Operations)
			}
			for _, entry := range happened {
				if cfg.Operations >= 100_000 && stats.Results[entry] < 10 {
					t.Errorf("%q happened %d times", entry, stats.Results[entry])
				}
			}
		}
	})
}

// happened are entries that a history of 100,000 operations has: without them
// it would explain nothing.
var happened = []string{
	"conflict", "begin done", "load done", "load renewed", "load not found",
	"commit done", "commit gone", "commit unknown", "destroy done", "destroy unknown",
	"renewal leaves done", "renewal leaves gone", "renewal leaves unknown", "renewal arrives done", "finds it renewed done",
	"revoke done", "revoke not found", "revoke unknown", "revoke all done", "list done",
}

func TestNoStores(t *testing.T) {
	t.Parallel()
	if _, err := histories.Run(t.Context(), histories.Config{}); err == nil {
		t.Error("nothing was run, and no error returned")
	}
}

func TestFaultyIsAStore(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string]histories.Faults{"without faults": {}, "that is slow": {Delay: 1000}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(*testing.T) session.Store { return histories.NewFaulty(new(memory.Store), faults, 1) })
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		faults  histories.Faults
		applied bool
	}{
		{"refused and not applied", histories.Faults{Refuse: 1000}, false},
		{"applied, and the answer lost", histories.Faults{Lose: 1000}, true},
		{"applied late", histories.Faults{Late: 1000}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inner := new(memory.Store)
			s := histories.NewFaulty(inner, test.faults, 1)
			value := []byte("value")
			if err := s.Create(t.Context(), "k", value, time.Hour); !errors.Is(err, histories.ErrInjected) {
				t.Errorf("error is %v", err)
			}
			clear(value) // it is the caller's again
			s.Wait()
			got, _, err := inner.Get(t.Context(), "k")
			if applied := err == nil && string(got) == "value"; applied != test.applied {
				t.Errorf("the store has %q, %v", got, err)
			}
			if s.Failed() != 1 {
				t.Errorf("%d calls failed, want 1", s.Failed())
			}
		})
	}
	t.Run("a limit, and subjects spared", func(t *testing.T) {
		t.Parallel()
		s := histories.NewFaulty(new(memory.Store), histories.Faults{Refuse: 1000, Limit: 2, SpareSubjects: true}, 1)
		for i, key := range []string{"session:subject:x", "session:1", "session:2", "session:3"} {
			err := s.Create(t.Context(), key, nil, time.Hour)
			if failed := errors.Is(err, histories.ErrInjected); failed != (i == 1 || i == 2) {
				t.Errorf("%s: %v", key, err)
			}
		}
	})
}
