package await_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
)

// failing notes how a test fails, and goes on.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Helper() {}

func (f *failing) Fatalf(format string, args ...any) { f.said = fmt.Sprintf(format, args...) }

func TestUntil(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		after time.Duration
		fails bool
	}{
		"what holds at once":  {0, false},
		"what holds later":    {await.Limit - time.Second, false},
		"what holds too late": {await.Limit + time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &failing{TB: t}
				start := time.Now()
				await.Until(f, "the time to come", func() bool { return time.Since(start) >= tt.after })
				if fails := strings.Contains(f.said, "the time to come"); fails != tt.fails {
					t.Errorf("it fails: %v (%q), want %v", fails, f.said, tt.fails)
				}
				if took, late := time.Since(start), 10*time.Millisecond; took > min(tt.after, await.Limit)+late {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestTogether(t *testing.T) {
	t.Parallel()
	var here sync.WaitGroup // nobody goes on before all are there
	here.Add(8)
	seen := make([]int, 8)
	await.Together(8, func(i int) {
		here.Done()
		here.Wait()
		seen[i] = i + 1
	})
	if want := []int{1, 2, 3, 4, 5, 6, 7, 8}; !slices.Equal(seen, want) {
		t.Errorf("%v, want %v", seen, want)
	}
}
