package benchmarks_test

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/coatcheck/coatcheck/docs/benchmarks"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

var only = flag.String("libraries", "", "measure only those whose name begins with this")

// crowds are how many clients there are at a time.
var crowds = []int{64, 256}

// BenchmarkReads measures requests that change nothing, and what they consist of:
// a request to a handler outside of any middleware, and a get without a request.
func BenchmarkReads(b *testing.B) {
	f := newField(b)
	for _, clients := range crowds {
		if f.has("gomemcache") {
			b.Run(fmt.Sprintf("work=get/by=none/sessions=1/clients=%d/library=gomemcache", clients), f.get(clients))
		}
	}
	f.run(reads)
}

// BenchmarkSlides measures reads with sliding expiry beside those without. It takes
// more requests than others to see ours write now and then.
func BenchmarkSlides(b *testing.B) { newField(b).run(slides) }

// BenchmarkWrites measures requests that change something.
func BenchmarkWrites(b *testing.B) { newField(b).run(writes) }

// BenchmarkSizes measures how the time of reading one value grows with the bytes
// of the session.
func BenchmarkSizes(b *testing.B) {
	f := newField(b)
	for _, bytes := range []int{200, 2_000, 20_000, 200_000} {
		f.grow("size", bytes, benchmarks.SessionKeys)
	}
}

// BenchmarkKeys measures how it grows with the number of values, the bytes being
// the same.
func BenchmarkKeys(b *testing.B) {
	f := newField(b)
	for _, keys := range []int{3, 30, 300} {
		f.grow("keys", 20_000, keys)
	}
}

// A field is what a benchmark takes part in: one memcached, and all libraries,
// made for each number of clients when they are first used.
type field struct {
	b      *testing.B
	server *memcachedtest.Server
	sets   map[int]benchmarks.Set
}

func newField(b *testing.B) *field {
	return &field{b, memcachedtest.Start(b, "-m", "1024", "-c", "4096"), map[int]benchmarks.Set{}}
}

func (f *field) has(library string) bool { return strings.HasPrefix(library, *only) }

func (f *field) set(b *testing.B, clients int) benchmarks.Set {
	if f.sets[clients] == nil {
		set, err := benchmarks.Libraries(f.server.Addr(), clients)
		if err != nil {
			b.Fatal(err)
		}
		f.b.Cleanup(set.Close)
		f.sets[clients] = set
	}
	return f.sets[clients]
}

// run measures works, for each number of clients the libraries one after another.
func (f *field) run(works []work) {
	for _, w := range works {
		for _, clients := range w.crowds {
			if clients > crowds[0] && (w.sessions > 0 || w.name == "slide") {
				continue // is not about the number of clients
			}
			f.compare(w, w.String(), clients)
		}
	}
}

func (f *field) grow(name string, bytes, keys int) {
	w := work{by: benchmarks.ByCookie, bytes: bytes, keys: keys, method: "GET", target: "/read", check: email, libraries: byCookie}
	f.compare(w, fmt.Sprintf("work=%s/by=cookie/bytes=%d/keys=%d", name, bytes, keys), crowds[0])
}

func (f *field) compare(w work, name string, clients int) {
	for _, library := range w.libraries {
		if f.has(library) {
			f.b.Run(fmt.Sprintf("%s/clients=%d/library=%s", name, clients, library), f.requests(w, clients, library))
		}
	}
}

// requests measures a work. The clients log in once, and send a few requests
// before time is taken, so that no connection is made in it.
func (f *field) requests(w work, clients int, library string) func(*testing.B) {
	seats := sync.OnceValues(func() ([]*seat, error) {
		sessions := w.sessions
		if sessions == 0 {
			sessions = clients
		}
		return w.seats(f.sets[clients][library], sessions, max(sessions, clients))
	})
	return func(b *testing.B) {
		f.set(b, clients)
		seats, err := seats()
		if err == nil {
			err = w.each(seats, clients, 4*clients)
		}
		if err != nil {
			b.Fatal(err)
		}
		begin := seats[0].countShared(w)
		f.measure(b, func() error { return w.each(seats, clients, b.N) })
		if w.shared() {
			lost := b.N - (seats[0].countShared(w) - begin - 1)
			b.ReportMetric(float64(lost)/float64(b.N), "lost/op")
			if lost > 0 && strings.HasPrefix(library, "coatcheck") {
				b.Errorf("%d of %d changes are lost", lost, b.N)
			}
		}
	}
}

// get measures a plain get of what a session of the floor's holds.
func (f *field) get(clients int) func(*testing.B) {
	return func(b *testing.B) {
		c := memcache.New(f.server.Addr())
		c.MaxIdleConns, c.Timeout = clients, 5*time.Second
		defer c.Close()
		if err := c.Set(&memcache.Item{Key: "get", Value: make([]byte, 250)}); err != nil {
			b.Fatal(err)
		}
		get := func(int, int) error { _, err := c.Get("get"); return err }
		if err := concurrently(clients, 4*clients, get); err != nil {
			b.Fatal(err)
		}
		f.measure(b, func() error { return concurrently(clients, b.N, get) })
	}
}

func (f *field) measure(b *testing.B, run func() error) {
	before := calls(b, f.server)
	runtime.GC() // of what came before
	b.ReportAllocs()
	b.ResetTimer()
	err := run()
	b.StopTimer()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(calls(b, f.server)-before)/float64(b.N), "calls/op")
}
