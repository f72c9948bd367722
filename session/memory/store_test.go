package memory_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
	"github.com/coatcheck/coatcheck/session/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) session.Store { return new(memory.Store) })
}

// perEntry is what a Store counts for an entry beside its key and value.
const perEntry = 256

// sized returns a store with room for n entries of fill.
func sized(n int64) *memory.Store { return &memory.Store{MaxBytes: n * (perEntry + 4 + 100)} }

func fill(t *testing.T, s *memory.Store, n int, ttl time.Duration) error {
	t.Helper()
	return s.Create(t.Context(), fmt.Sprintf("%04d", n), make([]byte, 100), ttl)
}

func has(t *testing.T, s *memory.Store, n int) bool {
	t.Helper()
	_, _, err := s.Get(t.Context(), fmt.Sprintf("%04d", n))
	return err == nil
}

func TestFullStoreGivesUpWhatExpiredFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := sized(10)
		fill(t, s, 0, time.Hour) // unused for longest, but alive
		for n := 1; n < 10; n++ {
			fill(t, s, n, time.Minute)
		}
		<-time.After(2 * time.Minute)
		if err := s.Create(t.Context(), "large", make([]byte, 2000), time.Hour); err != nil {
			t.Fatal(err)
		}
		if !has(t, s, 0) {
			t.Error("a live entry was given up although others had expired")
		}
	})
}

func TestFullStoreGivesUpWhatWasUnusedForLongest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := sized(3)
		for n := range 3 {
			fill(t, s, n, time.Hour)
		}
		<-time.After(2 * time.Minute)
		has(t, s, 0) // used again
		if err := fill(t, s, 3, time.Hour); err != nil {
			t.Fatal(err)
		}
		if !has(t, s, 0) || has(t, s, 1) || !has(t, s, 2) || !has(t, s, 3) {
			t.Errorf("want 0, 2 and 3 to be left, 1 to be given up")
		}
	})
}

func TestFullStoreSparesWhatWasUsedWithinAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := sized(3)
		for n := range 3 {
			fill(t, s, n, time.Hour)
		}
		for n := 3; n < 1000; n++ {
			if err := fill(t, s, n, time.Hour); err == nil {
				t.Fatalf("entry %d was taken into a store full of active ones", n)
			}
		}
		_, version, _ := s.Get(t.Context(), "0000")
		if err := s.Update(t.Context(), "0000", make([]byte, 101), version, time.Hour); err == nil {
			t.Error("an entry grew in a store full of active ones")
		}
		for n := range 3 {
			if !has(t, s, n) {
				t.Errorf("entry %d was given up although it was used just now", n)
			}
		}
		<-time.After(time.Minute)
		if err := fill(t, s, 3, time.Hour); err != nil {
			t.Errorf("a minute later: %v", err)
		}
	})
}

func TestFullStoreSparesWhatWasReadWithinAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := sized(1)
		fill(t, s, 0, time.Hour)
		<-time.After(59 * time.Second)
		has(t, s, 0)
		<-time.After(59 * time.Second)
		if err := fill(t, s, 1, time.Hour); err == nil {
			t.Error("an entry was given up although it was read within the last minute")
		}
	})
}

func TestUpdatesCountTowardsTheLimit(t *testing.T) {
	t.Parallel()
	s := sized(3)
	fill(t, s, 0, time.Hour)
	_, version, err := s.Get(t.Context(), "0000")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), "0000", make([]byte, 700), version, time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := fill(t, s, 1, time.Hour); err == nil {
		t.Error("an entry was taken where an update had left no room for it")
	}
}

// A marker takes little room, so a logout works when nothing else does.
func TestFullStoreLetsEntriesShrink(t *testing.T) {
	t.Parallel()
	s := sized(3)
	for n := range 3 {
		fill(t, s, n, time.Hour)
	}
	_, version, err := s.Get(t.Context(), "0001")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), "0001", []byte("marker"), version, time.Minute); err != nil {
		t.Errorf("Update of a full store with a smaller value: %v", err)
	}
}

// What expired is given back by later calls, whatever keys they are for.
func TestExpiredEntriesAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(memory.Store)
		before := heap()
		for n := range 100 {
			if err := s.Create(t.Context(), fmt.Sprint(n), make([]byte, 100_000), time.Second); err != nil {
				t.Fatal(err)
			}
		}
		<-time.After(time.Second)
		for range 50 {
			has(t, s, 9999)
		}
		if held := heap() - before; held > 1_000_000 {
			t.Errorf("%d bytes are still held after everything expired", held)
		}
		runtime.KeepAlive(s)
	})
}

func TestAllThatExpiredAtOnceIsAbsentAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := new(memory.Store)
		for n := range 100 {
			fill(t, s, n, time.Second)
		}
		<-time.After(time.Second - 1)
		if !has(t, s, 50) || !has(t, s, 51) {
			t.Error("absent before the ttl has passed")
		}
		<-time.After(1)
		if has(t, s, 50) || has(t, s, 51) || has(t, s, 20) {
			t.Error("there after the ttl has passed")
		}
	})
}

func TestLenCountsWhatHasNotExpired(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := new(memory.Store)
		fill(t, s, 1, time.Second)
		fill(t, s, 2, time.Minute)
		fill(t, s, 3, time.Minute)
		_, version, _ := s.Get(t.Context(), "0001")
		if err := s.Update(t.Context(), "0001", nil, version, time.Hour); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		if n := s.Len(); n != 1 {
			t.Errorf("Len is %d, want 1", n)
		}
	})
}

// The limit bounds what the process really needs, within reason.
func TestMaxBytesIsHonest(t *testing.T) {
	const maxBytes = 16 << 20
	s := &memory.Store{MaxBytes: maxBytes}
	before := heap()
	n := 0
	for ; s.Create(t.Context(), fmt.Sprintf("session.%028d", n), make([]byte, 300), time.Hour) == nil; n++ {
	}
	used := heap() - before
	if used > maxBytes*5/4 || n < maxBytes/1000 {
		t.Errorf("%d entries take %d bytes, the limit is %d", n, used, maxBytes)
	}
	runtime.KeepAlive(s)
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestWrongArgumentsWriteNothing(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(ctx context.Context, s *memory.Store) error{
		"M2 an empty key":         create("", time.Hour),
		"M2 a key of 251 bytes":   create(strings.Repeat("k", 251), time.Hour),
		"M2 a space in a key":     create("a b", time.Hour),
		"M2 a newline in a key":   create("a\r\nb", time.Hour),
		"M2 a zero byte in a key": create("a\x00", time.Hour),
		"M2 DEL in a key":         create("a\x7f", time.Hour),
		"M2 a key beyond ASCII":   create("ä", time.Hour),
		"M4 a ttl of 0":           create("a", 0),
		"M4 a ttl below 0":        create("a", -time.Second),
		"M4 an update with a ttl of 0": func(ctx context.Context, s *memory.Store) error {
			return s.Update(ctx, "a", nil, 1, 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := new(memory.Store)
			if err := call(t.Context(), s); err == nil {
				t.Error("no error")
			}
			if n := s.Len(); n != 0 {
				t.Errorf("%d entries were written", n)
			}
		})
	}
}

func create(key string, ttl time.Duration) func(context.Context, *memory.Store) error {
	return func(ctx context.Context, s *memory.Store) error { return s.Create(ctx, key, nil, ttl) }
}

func TestMaxValueBytesFollowsMaxBytes(t *testing.T) {
	t.Parallel()
	for maxBytes, want := range map[int64]int{
		0: 1<<20 - 512, -1: 1<<20 - 512, 1 << 30: 1<<20 - 512, 1000: 1000 - perEntry - 1, 100: 0,
	} {
		s := &memory.Store{MaxBytes: maxBytes}
		if got := s.MaxValueBytes("k"); got != want {
			t.Errorf("MaxBytes %d: MaxValueBytes is %d, want %d", maxBytes, got, want)
		}
	}
}
