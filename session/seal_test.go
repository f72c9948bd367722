package session_test

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// sealing makes a manager with these keys, and shows its events.
func sealing(t *testing.T, st session.Store, keys ...session.SealKey) (*session.Manager, *events) {
	t.Helper()
	var seen events
	return newManager(t, session.Config{Store: st, SealKeys: keys, Observe: seen.observe}), &seen
}

func TestSealing(t *testing.T) {
	t.Parallel()
	k1 := session.GenerateSealKey()
	t.Run("M1 nothing is readable", func(t *testing.T) {
		t.Parallel()
		st := newStore()
		m, _ := sealing(t, st, k1)
		s := m.New()
		name.Put(s, "treasure")
		s.SetSubject("alice")
		s.SetLabel("a browser")
		commit(t, s)
		raw := rawValue(t, st, s.Credential())
		for _, secret := range []string{"treasure", "alice", "browser", "name"} {
			if strings.Contains(string(raw), secret) {
				t.Errorf("the store holds %q", secret)
			}
		}
	})
	t.Run("M1 without keys no credential and no secret", func(t *testing.T) {
		t.Parallel()
		st := newStore()
		_, c := begin(t, newManager(t, session.Config{Store: st}))
		secret, _ := base64.RawURLEncoding.DecodeString(c.Reveal())
		raw := rawValue(t, st, c)
		if strings.Contains(string(raw), string(secret[16:])) || strings.Contains(string(raw), c.Reveal()) {
			t.Error("the store holds what opens the session")
		}
		if !strings.Contains(string(raw), "count") {
			t.Error("the value can't be read: the test shows nothing")
		}
	})
	t.Run("M1 a forged record is refused", func(t *testing.T) {
		t.Parallel()
		st := newStore()
		plain := newManager(t, session.Config{Store: st})
		_, c := begin(t, plain)
		m, seen := sealing(t, st, k1)
		wantDead(t, m, c) // not even asked for
		tok := m.New()
		count.Put(tok, 1)
		tok.AllowToken()
		commit(t, tok)
		overwrite(t, st, tok.Credential(), asPlain(t, rawValue(t, st, tok.Credential()), k1, key(tok.Credential())))
		if _, err := plain.LoadVerified(t.Context(), tok.ID()); err != nil {
			t.Fatalf("it isn't even a record: %v", err)
		}
		_, err := m.LoadVerified(t.Context(), tok.ID())
		wantError(t, err, session.ErrNotFound)
		if len(seen.of(session.Unreadable)) != 1 {
			t.Error("no event")
		}
	})
}

func TestSealKeysComeAndGo(t *testing.T) {
	t.Parallel()
	k1, k2 := session.GenerateSealKey(), session.GenerateSealKey()
	t.Run("S20 made-up credentials cost nothing, keys come and go", func(t *testing.T) {
		t.Parallel()
		st := newStore()
		m1, _ := sealing(t, st, k1)
		_, c := begin(t, m1)
		both, _ := sealing(t, st, k2, k1)
		wantCount(t, both, c, 1) // a key added fails none
		_, fresh := begin(t, both)
		wantCount(t, both, fresh, 1)
		reads := st.count("any")
		only2, _ := sealing(t, st, k2)
		wantDead(t, only2, c) // a key removed fails its cookies
		invented, err := session.ParseCredential(c.Reveal()[:63] + flip(c.Reveal()[63:]))
		if err != nil {
			t.Fatal(err)
		}
		wantDead(t, both, invented)
		if n := st.count("any") - reads; n != 0 {
			t.Errorf("%d store calls, want 0", n)
		}
		wantCount(t, only2, fresh, 1)
		s := load(t, both, c)
		count.Update(s, increment)
		commit(t, s) // sealed anew by the first key, but the credential is the old key's
		wantCount(t, both, c, 2)
	})
}

// asPlain opens a sealed value and writes it as somebody without a key would.
func asPlain(t *testing.T, value []byte, k session.SealKey, storeKey string) []byte {
	t.Helper()
	body, err := session.Open(k, "session", storeKey, value)
	if err != nil {
		t.Fatal(err)
	}
	return asPlainBody(body)
}

func asPlainBody(body []byte) []byte {
	return binary.BigEndian.AppendUint32(append([]byte{1}, body...), crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

func TestSealKeysHave32Bytes(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 31, 33} {
		if _, err := session.NewSealKey(make([]byte, n)); err == nil {
			t.Errorf("a seal key of %d bytes was taken", n)
		}
	}
}

func TestManagersApart(t *testing.T) {
	t.Parallel()
	t.Run("S16 names share nothing, whatever else they share", func(t *testing.T) {
		t.Parallel()
		st, k := newStore(), session.GenerateSealKey()
		one := newManager(t, session.Config{Store: st, Name: "one", SealKeys: []session.SealKey{k}})
		two := newManager(t, session.Config{Store: st, Name: "two", SealKeys: []session.SealKey{k}})
		s, c := begin(t, one)
		reads := st.count("any")
		wantDead(t, two, c)
		if n := st.count("any") - reads; n != 0 {
			t.Errorf("%d store calls, want 0: the credential is not two's", n)
		}
		// Even moved to the other's key, the record doesn't open.
		s.AllowToken()
		commit(t, s)
		value, _, err := st.Store.Get(t.Context(), "one:"+encodeID(s.ID()))
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Store.Create(t.Context(), "two:"+encodeID(s.ID()), value, time.Hour); err != nil {
			t.Fatal(err)
		}
		_, err = two.LoadVerified(t.Context(), s.ID())
		wantError(t, err, session.ErrNotFound)
	})
}

func flip(c string) string {
	if c == "A" {
		return "B"
	}
	return "A"
}

// TestPutBack is about what sealing can't keep somebody from who writes to the
// store: what he puts back was genuine once. docs/security.md says so.
func TestPutBack(t *testing.T) {
	t.Parallel()
	t.Run("a record that was sealed is taken again, until its deadline and not with another fingerprint", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			st := newStore()
			m := newManager(t, session.Config{Store: st, SealKeys: []session.SealKey{session.GenerateSealKey()}, IdleTimeout: time.Minute})
			s := m.New()
			s.SetSubject("alice")
			s.SetFingerprint("the password then")
			commit(t, s)
			c := s.Credential()
			then := rawValue(t, st, c)
			s.Destroy()
			commit(t, s)
			wantDead(t, m, c)
			overwrite(t, st, c, then)
			if again := load(t, m, c); again.Subject() != "alice" || again.FingerprintIs("the password now") {
				t.Error("it is not the session that it was")
			}
			time.Sleep(time.Minute)
			wantDead(t, m, c)
		})
	})
	t.Run("a list that was sealed is taken again, and misses what came since", func(t *testing.T) {
		t.Parallel()
		st := newStore()
		m := newManager(t, session.Config{Store: st, SealKeys: []session.SealKey{session.GenerateSealKey()}})
		var index string
		st.before = func(op, key string) error {
			if op == "create" && len(key) > len("session:")+22 {
				index = key
			}
			return nil
		}
		first := login(t, m, "alice")
		then, _, err := st.Store.Get(t.Context(), index)
		if err != nil {
			t.Fatal(err)
		}
		login(t, m, "alice")
		_, version, err := st.Store.Get(t.Context(), index)
		if err == nil {
			err = st.Store.Update(t.Context(), index, then, version, time.Hour)
		}
		if err != nil {
			t.Fatal(err)
		}
		wantIDs(t, m, "alice", first.ID())
	})
}
