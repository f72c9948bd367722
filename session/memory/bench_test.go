package memory_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session/memory"
)

func BenchmarkGet(b *testing.B) {
	for _, goroutines := range []int{1, 64} {
		b.Run(fmt.Sprintf("goroutines=%d", goroutines), func(b *testing.B) {
			s := new(memory.Store)
			for n := range 1000 {
				if err := s.Create(b.Context(), fmt.Sprint(n), make([]byte, 300), time.Hour); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.SetParallelism(goroutines)
			run := func(next func() bool) {
				for next() {
					if _, _, err := s.Get(b.Context(), "500"); err != nil {
						b.Error(err)
						return
					}
				}
			}
			if goroutines == 1 {
				run(b.Loop)
				return
			}
			b.RunParallel(func(pb *testing.PB) { run(pb.Next) })
		})
	}
}
