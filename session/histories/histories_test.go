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
)

var (
	seed       = flag.Uint64("seed", 0, "of the first episode; 0: by the clock")
	repeat     = flag.Int("repeat", 0, "run the episode of -seed so many times, and no other")
	operations = flag.Int("operations", 100_000, "that TestHistories checks at least")
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
	t.Run("S8 S7 S17 M13 every history of 100,000 operations has an explanation", func(t *testing.T) {
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
		}
	})
}

func wantViolation(t *testing.T, err error) {
	t.Helper()
	var v *histories.Violation
	if !errors.As(err, &v) {
		t.Fatalf("error is %v, want a violation", err)
	}
}
