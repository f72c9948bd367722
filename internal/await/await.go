// Package await lets tests wait for what others do: for a condition of which
// nobody tells, and for calls made at the same time.
package await

import (
	"sync"
	"testing"
	"time"
)

// Limit is how long anything may take on a machine with other things to do. No
// test that passes waits it out.
const Limit = 30 * time.Second

// Until waits until a condition holds. The test ends if it does not within the
// Limit: what is the thing that it waited for.
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	if !Try(holds) {
		t.Fatalf("waited %v in vain for %s", Limit, what)
	}
}

// Try waits as Until does, and reports whether the condition holds: for tests
// that have more to say when it does not.
func Try(holds func() bool) bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(Limit); !holds(); <-tick.C {
		if time.Now().After(limit) {
			return false
		}
	}
	return true
}

// Together calls f n times at the same time, with 0 to n-1, and waits until all
// have returned.
func Together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}
