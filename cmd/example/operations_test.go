package main_test

import (
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/session/memcached"
)

// TestOperations checks what docs/operations.md says that is not measured or
// walked elsewhere: its program does what its tables say.
func TestOperations(t *testing.T) {
	t.Parallel()
	t.Run("the program takes a process from step to step", func(t *testing.T) {
		t.Parallel()
		testChange(t, runbook(t))
	})
}

// change takes a running process through step 1, 2 or 3.
func change(store *memcached.Store, before, after []string, step int) error {
	lists := [][2][]string{{before, after}, {after, before}, {after, nil}}[step-1]
	return store.SetNodes(lists[0], lists[1])
}

func testChange(t *testing.T, steps []step) {
	t.Helper()
	before, after := []string{"n1=127.0.0.1:1", "n2=127.0.0.1:2"}, []string{"n1=127.0.0.1:1", "n2=127.0.0.1:2", "n3=127.0.0.1:3"}
	store, err := memcached.New(memcached.Config{Nodes: before})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	for i, want := range steps {
		if i > 0 {
			if err := change(store, before, after, i); err != nil {
				t.Fatal(err)
			}
		}
		nodes, agree := store.Nodes()
		if got := (step{strings.Join(nodes, ","), strings.Join(agree, ",")}); got != want {
			t.Errorf("after step %d: %v, want %v", i, got, want)
		}
	}
}
