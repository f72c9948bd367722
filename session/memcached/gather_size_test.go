package memcached_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
)

// Large values ride in smaller batches, once it is known that they are.
func TestBatchesAreBoundedByBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		value := strings.Repeat("v", 64<<10)
		f := &fake{answer: func(_ int, command string) string {
			<-time.After(10 * time.Millisecond)
			var answer strings.Builder
			for _, key := range strings.Fields(command)[1:] {
				answer.WriteString(strings.TrimSuffix(found(key, value, 7), "END\r\n"))
			}
			return answer.String() + "END\r\n"
		}}
		s := f.open(t)
		defer s.Close()
		for range 4 {
			takeOff(t, s)
			await.Together(12, func(i int) {
				got, _, err := s.Get(t.Context(), fmt.Sprint("k", i))
				if err != nil || string(got) != value {
					t.Errorf("%d bytes, %v", len(got), err)
				}
			})
		}
		if sizes := f.batches(); sizes[len(sizes)-1] > 4 || len(sizes) > 24 {
			t.Errorf("batches of %v keys, want none of more than 256 KiB and not many", sizes)
		}
	})
}

// A network that a full batch of large values is too much for fails no get that it
// would not fail alone.
func TestBatchesFitTheNetwork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wire, value := make(chan struct{}, 1), strings.Repeat("v", 64<<10)
		f := &fake{answer: func(_ int, command string) string {
			var answer strings.Builder
			for _, key := range strings.Fields(command)[1:] {
				wire <- struct{}{}
				<-time.After(6 * time.Millisecond) // about 10 MB/s, for all connections together
				<-wire
				answer.WriteString(strings.TrimSuffix(found(key, value, 7), "END\r\n"))
			}
			return answer.String() + "END\r\n"
		}}
		s := f.open(t)
		defer s.Close()
		for round := range 6 {
			takeOff(t, s)
			var failed atomic.Int64
			await.Together(62, func(i int) {
				if _, _, err := s.Get(t.Context(), fmt.Sprint("k", i)); err != nil {
					failed.Add(1)
				}
			})
			if n := failed.Load(); n > 0 {
				t.Errorf("round %d: %d of 62 gets failed", round, n)
			}
			<-time.After(time.Second)
		}
	})
}

// Somebody's large session makes batches small, but nobody wait for that.
func TestLargeSessionHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		large := strings.Repeat("v", 1<<20-600)
		f := &fake{answer: func(_ int, command string) string {
			<-time.After(20 * time.Millisecond)
			var answer strings.Builder
			for _, key := range strings.Fields(command)[1:] {
				value := "small"
				if key == "large" {
					value = large
				}
				answer.WriteString(strings.TrimSuffix(found(key, value, 7), "END\r\n"))
			}
			return answer.String() + "END\r\n"
		}}
		s := f.open(t)
		defer s.Close()
		ctx, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer stop()
		var served atomic.Int64
		await.Together(210, func(i int) {
			key := fmt.Sprint("k", i)
			if i < 10 {
				key = "large"
			}
			for {
				_, _, err := s.Get(t.Context(), key)
				if err != nil {
					t.Errorf("%s: %v", key, err)
				}
				if ctx.Err() != nil {
					return
				}
				if i >= 10 {
					served.Add(1)
				}
			}
		})
		// By 32 connections, each for one get at a time, it were 800.
		if n := served.Load(); n < 875 {
			t.Errorf("%d gets of small sessions were served", n)
		}
	})
}

// Values of which not even one fits into a batch ride alone, and don't keep later,
// small ones from riding together again.
func TestBatchesHaveRoomForOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		large := strings.Repeat("v", maxBatchBytes+1)
		f := &fake{answer: func(conn int, command string) string {
			<-time.After(10 * time.Millisecond)
			var answer strings.Builder
			for _, key := range strings.Fields(command)[1:] {
				value := key
				if strings.HasPrefix(key, "large") {
					value = large
				}
				answer.WriteString(strings.TrimSuffix(found(key, value, 7), "END\r\n"))
			}
			return answer.String() + "END\r\n"
		}}
		s := f.open(t)
		defer s.Close()
		for round, size := range []string{"large", "large", "small", "small", "small", "small"} {
			if round == 2 {
				f.forget()
			}
			takeOff(t, s)
			await.Together(8, func(i int) {
				got, _, err := s.Get(t.Context(), fmt.Sprint(size, i))
				if err != nil || size == "large" && string(got) != large {
					t.Errorf("%s: %d bytes, %v", size, len(got), err)
				}
			})
			<-time.After(time.Second)
		}
		if sizes := f.batches(); sizes[len(sizes)-1] < 4 {
			t.Errorf("batches of %v keys: small values do not ride together any more", sizes)
		}
	})
}

// maxBatchBytes is what a batch may bring back, by doc.go's "fewer if values are
// large".
const maxBatchBytes = 256 << 10
