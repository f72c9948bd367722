package session_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
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

func TestEmptiedStore(t *testing.T) {
	t.Parallel()
	k1 := session.GenerateSealKey()
	t.Run("M6 an emptied store ends sessions and revives none", func(t *testing.T) {
		t.Parallel()
		st := newStore()
		m, _ := sealing(t, st, k1)
		_, c := begin(t, m)
		s, r, d := load(t, m, c), load(t, m, c), load(t, m, c)
		st.Store = new(memory.Store)
		count.Update(s, increment)
		r.Renew()
		d.Destroy()
		for _, s := range []*session.Session{s, r, d} {
			wantError(t, s.Commit(t.Context()), session.ErrGone)
		}
		wantDead(t, m, c)
	})
}

// TestVersionsBeginAgain empties the store, after which versions are given
// again, as by a restart of memcached.
func TestVersionsBeginAgain(t *testing.T) {
	t.Parallel()
	for what, do := range map[string]func(s *session.Session){
		"update":  func(s *session.Session) { count.Put(s, 9) },
		"destroy": (*session.Session).Destroy,
	} {
		st := newStore()
		m := newManager(t, session.Config{Store: st})
		a := external(t, m)
		a.SetSubject("alice")
		commit(t, a)
		late := external(t, m)
		do(late)
		st.Store = newStore().Store
		b := external(t, m)
		b.SetSubject("bob")
		commit(t, b)
		if err := late.Commit(t.Context()); !errors.Is(err, session.ErrGone) {
			t.Errorf("%s: error is %v, want ErrGone", what, err)
		}
		if s := external(t, m); s.Subject() != "bob" {
			t.Errorf("%s: the session is %q's", what, s.Subject())
		}
	}
}
