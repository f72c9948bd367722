package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
)

// owners returns which of the nodes has each key: the one that is asked.
func owners(t *testing.T, nodes []string, keys []string) []string {
	t.Helper()
	var asked atomic.Pointer[string]
	s := open(t, memcached.Config{Nodes: nodes, Timeout: 5 * time.Second, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		f := &fake{answer: func(int, string) string { asked.Store(&address); return "END\r\n" }}
		return f.dial(ctx, network, address)
	}})
	owners := make([]string, len(keys))
	for i, key := range keys {
		if _, _, err := s.Get(t.Context(), key); !errors.Is(err, session.ErrNotFound) {
			t.Fatal(err)
		}
		owners[i] = *asked.Load()
	}
	return owners
}

func nodes(names ...string) []string {
	var nodes []string
	for _, name := range names {
		nodes = append(nodes, fmt.Sprintf("%s=%s.example:11211", name, name))
	}
	return nodes
}

// Where keys lie is part of the format: other processes, and later versions,
// must find them there. These were computed apart from this package.
func TestPlacementIsFrozen(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"k": "c", "a": "b", "subject.x": "c",
		"session.10000000-0000-4000-8000-000000000000": "b",
		"session.20000000-0000-4000-8000-000000000000": "c",
		"session.30000000-0000-4000-8000-000000000000": "a",
		"session.40000000-0000-4000-8000-000000000000": "a",
		"admin.30000000-0000-4000-8000-000000000000":   "a",
	}
	for key, node := range want {
		if got := owners(t, nodes("a", "b", "c"), []string{key}); got[0] != node+".example:11211" {
			t.Errorf("%s is on %s, was on %s", key, got[0], node)
		}
	}
}

func TestPlacementGoesByNameAlone(t *testing.T) {
	t.Parallel()
	k := keys(500)
	before := owners(t, []string{"a=one.example:1", "b=two.example:2", "c=three.example:3"}, k)
	after := owners(t, []string{"c=three.example:3", "b=elsewhere.example:4", "a=one.example:1"}, k)
	for i := range k {
		want := before[i]
		if want == "two.example:2" {
			want = "elsewhere.example:4"
		}
		if after[i] != want {
			t.Fatalf("key %s went from %s to %s", k[i], before[i], after[i])
		}
	}
}

func TestPlacementMovesFewKeys(t *testing.T) {
	t.Parallel()
	k := keys(10_000)
	five := owners(t, nodes("a", "b", "c", "d", "e"), k)
	six := owners(t, nodes("a", "b", "c", "d", "e", "f"), k)

	t.Run("M12 keys are spread evenly", func(t *testing.T) {
		count := make(map[string]int)
		for _, owner := range five {
			count[owner]++
		}
		for owner, n := range count {
			if n < 1800 || n > 2200 {
				t.Errorf("%s has %d of 10000 keys, want about 2000", owner, n)
			}
		}
	})
	t.Run("M12 a node added takes about 1/N, and only for itself", func(t *testing.T) {
		moved := 0
		for i := range k {
			if five[i] != six[i] {
				moved++
				if six[i] != "f.example:11211" {
					t.Fatalf("a key went from %s to %s", five[i], six[i])
				}
			}
		}
		if moved < 1500 || moved > 1850 {
			t.Errorf("%d of 10000 keys moved, want about 1667", moved)
		}
	})
	t.Run("M12 a node removed moves its own keys alone, to all others", func(t *testing.T) {
		to := make(map[string]int)
		four := owners(t, nodes("a", "b", "d", "e"), k)
		for i := range k {
			if five[i] == "c.example:11211" {
				to[four[i]]++
			} else if five[i] != four[i] {
				t.Fatalf("a key went from %s to %s", five[i], four[i])
			}
		}
		for owner, n := range to {
			if n < 400 || n > 600 {
				t.Errorf("%s took %d keys, want about 500", owner, n)
			}
		}
	})
}
