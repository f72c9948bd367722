package memcached_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// gets returns a Get of the same entry by gomemcache alone, with a pool as
// large, and by a store.
func gets(b *testing.B) (plain, store func(context.Context) error) {
	addr := memcachedtest.Start(b).Addr()
	client := memcache.New(addr)
	client.MaxIdleConns = memcached.DefaultMaxIdleConns
	if err := client.Set(&memcache.Item{Key: "k", Value: make([]byte, 300), Expiration: 3600}); err != nil {
		b.Fatal(err)
	}
	s := open(b, memcached.Config{Nodes: []string{addr}, Timeout: 5 * time.Second})
	plain = func(context.Context) error { _, err := client.Get("k"); return err }
	store = func(ctx context.Context) error { _, _, err := s.Get(ctx, "k"); return err }
	return plain, store
}

func BenchmarkGet(b *testing.B) {
	plain, store := gets(b)
	for _, goroutines := range []int{1, 64} {
		b.Run(fmt.Sprintf("client=gomemcache/goroutines=%d", goroutines), concurrently(goroutines, plain))
		b.Run(fmt.Sprintf("client=store/goroutines=%d", goroutines), concurrently(goroutines, store))
	}
}

// BenchmarkGetOverhead calls both in turn, so that whatever else the machine
// does falls on both, and reports the ratio of the medians.
func BenchmarkGetOverhead(b *testing.B) {
	plain, store := gets(b)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	var plains, stores []time.Duration
	for b.Loop() {
		plains = append(plains, timed(ctx, b, plain))
		stores = append(stores, timed(ctx, b, store))
	}
	slices.Sort(plains)
	slices.Sort(stores)
	b.ReportMetric(float64(plains[len(plains)/2]), "ns/gomemcache")
	b.ReportMetric(float64(stores[len(stores)/2]), "ns/store")
	b.ReportMetric(float64(stores[len(stores)/2])/float64(plains[len(plains)/2]), "store/gomemcache")
}

func timed(ctx context.Context, b *testing.B, get func(context.Context) error) time.Duration {
	start := time.Now()
	if err := get(ctx); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// concurrently calls get from a number of goroutines, each with a context of its
// own that can be cancelled, as requests have.
func concurrently(goroutines int, get func(context.Context) error) func(*testing.B) {
	return func(b *testing.B) {
		b.ReportAllocs()
		run := func(next func() bool) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			for next() {
				if err := get(ctx); err != nil {
					b.Error(err)
					return
				}
			}
		}
		if goroutines == 1 {
			run(b.Loop)
			return
		}
		b.SetParallelism(max(1, goroutines/runtime.GOMAXPROCS(0)))
		b.RunParallel(func(pb *testing.PB) { run(pb.Next) })
	}
}

// BenchmarkGathered has many goroutines read many keys by gomemcache's own Get,
// with an idle connection for each, and by the store, in turns, and reports the
// ratios of throughput and of the 99th percentiles.
func BenchmarkGathered(b *testing.B) {
	for _, goroutines := range []int{64, 256} {
		b.Run(fmt.Sprintf("goroutines=%d", goroutines), func(b *testing.B) {
			addr, all := memcachedtest.Start(b).Addr(), keys(1000)
			client := memcache.New(addr)
			client.MaxIdleConns, client.Timeout = goroutines, 5*time.Second
			s := open(b, memcached.Config{Nodes: []string{addr}, Timeout: 5 * time.Second})
			for _, key := range all {
				if err := s.Create(b.Context(), key, make([]byte, 300), time.Hour); err != nil {
					b.Fatal(err)
				}
			}
			plain := func(_ context.Context, i int) error { _, err := client.Get(all[i%1000]); return err }
			store := func(ctx context.Context, i int) error { _, _, err := s.Get(ctx, all[i%1000]); return err }
			var took [2]time.Duration
			var p99 [2]time.Duration
			for b.Loop() {
				for i, get := range []func(context.Context, int) error{plain, store} {
					total, worst := burst(b, goroutines, get)
					took[i] += total
					p99[i] += worst
				}
			}
			b.ReportMetric(float64(took[0])/float64(took[1]), "throughput-ratio")
			b.ReportMetric(float64(p99[1])/float64(p99[0]), "p99-ratio")
		})
	}
}

// burst returns how long 100,000 gets take together, and the 99th percentile.
func burst(b *testing.B, goroutines int, get func(ctx context.Context, i int) error) (total, p99 time.Duration) {
	each := 100_000 / goroutines
	took := make([]time.Duration, goroutines*each)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	start := time.Now()
	await.Together(goroutines, func(i int) {
		for n := range each {
			begun := time.Now()
			if err := get(ctx, i*each+n); err != nil {
				b.Error(err)
			}
			took[i*each+n] = time.Since(begun)
		}
	})
	total = time.Since(start)
	slices.Sort(took)
	return total, took[len(took)*99/100]
}
