package benchmarks_test

import (
	"runtime"
	"testing"

	"github.com/coatcheck/coatcheck/docs/benchmarks"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// BenchmarkMemory measures what a session of each of b.N users takes, with all
// that belongs to it, such as its place in the list of its subject's sessions.
func BenchmarkMemory(b *testing.B) {
	f := &field{b: b}
	for _, library := range byCookie {
		if f.has(library) {
			b.Run("work=memory/in=memcached/library="+library, func(b *testing.B) { inMemcached(b, library) })
		}
	}
	for _, library := range []string{"coatcheck", "scs"} {
		if f.has(library) {
			b.Run("work=memory/in=heap/library="+library, func(b *testing.B) { inHeap(b, library) })
		}
	}
}

var sessions = work{by: benchmarks.ByCookie, bytes: benchmarks.NoteBytes, keys: benchmarks.SessionKeys}

func inMemcached(b *testing.B, library string) {
	server := memcachedtest.Start(b)
	set, err := benchmarks.Libraries(server.Addr(), 1)
	if err != nil {
		b.Fatal(err)
	}
	defer set.Close()
	if _, err := sessions.seats(set[library], b.N, b.N); err != nil {
		b.Fatal(err)
	}
	report(b, server.Stat(b, "bytes"))
}

func inHeap(b *testing.B, library string) {
	set, err := benchmarks.InMemory()
	if err != nil {
		b.Fatal(err)
	}
	defer set.Close()
	before := heap()
	if _, err := sessions.seats(set[library], b.N, b.N); err != nil {
		b.Fatal(err)
	}
	report(b, heap()-before)
	runtime.KeepAlive(set)
}

// heap returns what is in use. A second collection takes what pools kept.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// report replaces the time, which says nothing here.
func report(b *testing.B, bytes int) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(bytes)/float64(b.N), "B/session")
}
