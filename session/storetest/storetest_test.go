package storetest_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
	"github.com/coatcheck/coatcheck/session/storetest"
)

func TestRun(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) session.Store { return new(memory.Store) })
}

func TestEveryRulePassesForACorrectStore(t *testing.T) {
	t.Parallel()
	for _, rule := range storetest.Rules() {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			if broken := try(t, rule, new(memory.Store)); len(broken) > 0 {
				t.Errorf("%q", broken)
			}
		})
	}
}

// Each bug is planted into a store that is correct otherwise. The rule that it
// breaks must see it, and say which rule that is.
func TestEveryBugIsNamedByItsRule(t *testing.T) {
	t.Parallel()
	caught := make(map[string]bool)
	for _, bug := range bugs {
		caught[bug.rule] = true
		t.Run(bug.name, func(t *testing.T) {
			t.Parallel()
			broken := try(t, bug.rule, bug.plant())
			if len(broken) == 0 {
				t.Fatalf("not seen by the rule %q", bug.rule)
			}
			for _, message := range broken {
				if !strings.Contains(message, bug.rule) {
					t.Errorf("the message doesn't name its rule: %q", message)
				}
			}
		})
	}
	for _, rule := range storetest.Rules() {
		if !caught[rule] {
			t.Errorf("no planted bug shows that this rule can fail: %q", rule)
		}
	}
}

// try returns what a rule reports about a store. Time is not real there, so
// that it costs nothing to wait for an expiry.
func try(t *testing.T, rule string, store session.Store) (broken []string) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			storetest.Try(r, rule, store)
		}()
		<-done
		broken = r.broken
	})
	return broken
}

// A recorder collects failures instead of failing. Like a test, it ends the
// goroutine that calls Fatalf.
type recorder struct {
	testing.TB
	mu     sync.Mutex
	broken []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = append(r.broken, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Skip(...any) { runtime.Goexit() }
