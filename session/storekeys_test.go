package session_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/coatcheck/coatcheck/session"
)

// TestStoreKeys gives a manager the worst that an application could pass on from
// its clients, and looks at the keys that the store is asked for.
func TestStoreKeys(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("n", 64)
	for _, keys := range [][]session.SealKey{nil, {session.GenerateSealKey(), session.GenerateSealKey()}} {
		t.Run(fmt.Sprintf("M2 nothing of a client's is in a key, with %d seal keys", len(keys)), func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			asked := map[string]bool{}
			st := newStore()
			st.before = func(_, key string) error {
				mu.Lock()
				defer mu.Unlock()
				asked[key] = true
				return nil
			}
			m := newManager(t, session.Config{Store: st, Name: longest, SealKeys: keys})
			for _, hostile := range []string{"a b", "a\r\nflush_all\r\nb", "\x00", "ä", strings.Repeat("evil", 256), "evil:subject:evil"} {
				s := m.New()
				s.SetSubject(hostile)
				s.SetFingerprint(hostile)
				short := hostile[:min(len(hostile), 255)]
				s.SetLabel(short)
				session.Key[string](short).Put(s, hostile)
				commit(t, s)
				wantIDs(t, m, hostile, s.ID())
				if err := m.RevokeAll(t.Context(), hostile); err != nil {
					t.Error(err)
				}
			}
			if len(asked) < 12 { // a record and an index each
				t.Errorf("%d keys: the test shows nothing", len(asked))
			}
			for key := range asked {
				wantStoreKey(t, key, longest)
			}
		})
	}
}

func wantStoreKey(t *testing.T, key, name string) {
	t.Helper()
	rest, ok := strings.CutPrefix(key, name+":")
	if !ok || len(key) > 250 || strings.Contains(rest, "evil") {
		t.Errorf("the key is %q", key)
	}
	for _, r := range key {
		if r <= ' ' || r > '~' {
			t.Errorf("%q is in the key %q", r, key)
		}
	}
}
