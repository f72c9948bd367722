package memcached_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// BenchmarkGet compares a Get with gomemcache's own, on the same server and
// with the same pool, from one goroutine and from 64.
func BenchmarkGet(b *testing.B) {
	addr := memcachedtest.Start(b).Addr()
	client := memcache.New(addr)
	client.MaxIdleConns = memcached.DefaultMaxIdleConns
	if err := client.Set(&memcache.Item{Key: "k", Value: make([]byte, 300), Expiration: 3600}); err != nil {
		b.Fatal(err)
	}
	store, err := memcached.New(memcached.Config{Nodes: []string{addr}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	cancellable, cancel := context.WithTimeout(b.Context(), time.Hour)
	b.Cleanup(cancel)

	gets := []struct {
		name string
		get  func() error
	}{
		{"client=gomemcache", func() error { _, err := client.Get("k"); return err }},
		{"client=store/context=background", func() error { _, _, err := store.Get(context.Background(), "k"); return err }},
		{"client=store/context=request", func() error { _, _, err := store.Get(cancellable, "k"); return err }},
	}
	for _, goroutines := range []int{1, 64} {
		for _, g := range gets {
			b.Run(fmt.Sprintf("goroutines=%d/%s", goroutines, g.name), func(b *testing.B) {
				concurrently(b, goroutines, g.get)
			})
		}
	}
}

func concurrently(b *testing.B, goroutines int, call func() error) {
	b.ReportAllocs()
	if goroutines == 1 {
		for b.Loop() {
			if err := call(); err != nil {
				b.Fatal(err)
			}
		}
		return
	}
	b.SetParallelism((goroutines + 1) / 2)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := call(); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
