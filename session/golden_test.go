package session_test

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// The formats are frozen: what an earlier version wrote is read by every later
// one. These values were written once, and are never written again; -golden
// adds a file for a new format.
var writeGolden = flag.Bool("golden", false, "write testdata/golden.json")

type goldenValue struct {
	Name       string // of what it is
	Key        string // in the store
	Value      string // in hex
	Credential string
}

const goldenFile = "testdata/golden.json"

func golden(t testing.TB) (values []goldenValue) {
	t.Helper()
	b, err := os.ReadFile(goldenFile)
	if err == nil {
		err = json.Unmarshal(b, &values)
	}
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func goldenManager(t testing.TB, st session.Store, sealed bool) *session.Manager {
	t.Helper()
	cfg := session.Config{Store: st, Lifetime: time.Hour}
	if sealed {
		k, err := session.NewSealKey([]byte("golden golden golden golden gold"))
		if err != nil {
			t.Fatal(err)
		}
		cfg.SealKeys = []session.SealKey{k}
	}
	return newManager(t, cfg)
}

func TestGolden(t *testing.T) {
	// In a bubble it is always the same time, so that the values don't expire.
	synctest.Test(t, func(t *testing.T) {
		if *writeGolden {
			makeGolden(t)
		}
		for _, sealed := range []bool{false, true} {
			checkGolden(t, sealed)
		}
	})
}

func checkGolden(t *testing.T, sealed bool) {
	st := newStore()
	m := goldenManager(t, st, sealed)
	prefix := "plain "
	if sealed {
		prefix = "sealed "
	}
	creds := map[string]session.Credential{}
	for _, g := range golden(t) {
		if g.Name[:len(prefix)] != prefix {
			continue
		}
		value, err := hex.DecodeString(g.Value)
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Store.Create(t.Context(), g.Key, value, time.Hour); err != nil {
			t.Fatal(err)
		}
		c, err := session.ParseCredential(g.Credential)
		if err != nil && g.Credential != "" {
			t.Fatal(err)
		}
		creds[g.Name[len(prefix):]] = c
	}
	s := load(t, m, creds["record"])
	if v, _ := name.Get(s); v != "Ada" || s.Subject() != "alice" || !s.FingerprintIs("print") || len(s.Keys()) != 2 {
		t.Errorf("%srecord: name %q, subject %q, keys %v", prefix, v, s.Subject(), s.Keys())
	}
	if _, err := m.LoadVerified(t.Context(), s.ID()); err != nil {
		t.Errorf("%srecord: its token doesn't open it: %v", prefix, err)
	}
	if !s.Created().Equal(time.Now()) || !s.Deadline().Equal(time.Now().Add(time.Hour)) || !s.IdleDeadline().Equal(time.Now().Add(20*time.Minute)) {
		t.Errorf("%srecord: lives from %v to %v or %v", prefix, s.Created(), s.Deadline(), s.IdleDeadline())
	}
	_, err := m.Load(t.Context(), creds["renewed"])
	wantError(t, err, session.ErrRenewed)
	_, err = m.Load(t.Context(), creds["ended"])
	wantError(t, err, session.ErrNotFound)
	wantIDs(t, m, "alice", s.ID())
}

// makeGolden writes one of each.
func makeGolden(t *testing.T) {
	var all []goldenValue
	for _, sealed := range []bool{false, true} {
		st := newStore()
		m := goldenManager(t, st, sealed)
		var indexKey string
		st.after = func(_, key string) error {
			if len(key) > 40 {
				indexKey = key
			}
			return nil
		}
		s := m.New()
		name.Put(s, "Ada")
		items.Put(s, []string{"coat", "hat"})
		s.SetLabel("a browser")
		s.SetIdleTimeout(20 * time.Minute)
		s.AllowToken()
		commit(t, s)
		old := s.Credential()
		s.SetSubject("alice")
		s.SetIdleTimeout(20 * time.Minute)
		s.SetFingerprint("print")
		s.AllowToken()
		commit(t, s)
		ended, c := begin(t, m)
		ended.Destroy()
		commit(t, ended)
		prefix := map[bool]string{false: "plain ", true: "sealed "}[sealed]
		add := func(what, key, cred string) {
			value, _, err := st.Store.Get(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, goldenValue{prefix + what, key, hex.EncodeToString(value), cred})
		}
		add("record", key(s.Credential()), s.Credential().Reveal())
		add("renewed", key(old), old.Reveal())
		add("ended", key(c), c.Reveal())
		add("index", indexKey, "")
	}
	b, err := json.MarshalIndent(all, "", "\t")
	if err == nil {
		err = os.WriteFile(goldenFile, append(b, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
