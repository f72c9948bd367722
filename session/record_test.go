package session_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/session"
)

// bodies returns the plain golden values without their envelopes.
func bodies(t testing.TB) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	for _, g := range golden(t) {
		if name, ok := strings.CutPrefix(g.Name, "plain "); ok {
			value, err := hex.DecodeString(g.Value)
			if err != nil {
				t.Fatal(err)
			}
			found[name] = value[1 : len(value)-4]
		}
	}
	return found
}

func TestOneEncodingOfABody(t *testing.T) {
	t.Parallel()
	t.Run("M7 one encoding for each, whatever is cut, added or changed", func(t *testing.T) {
		t.Parallel()
		refused := 0
		try := func(what string, body []byte) {
			again, err := session.Reencode(body)
			if err != nil {
				refused++
			} else if !bytes.Equal(again, body) {
				t.Errorf("%s: %x was accepted, and is %x when written again", what, body, again)
			}
		}
		for name, body := range bodies(t) {
			if again, err := session.Reencode(body); err != nil || !bytes.Equal(again, body) {
				t.Errorf("%s: %v", name, err)
			}
			for i := range body {
				try(fmt.Sprintf("%s cut to %d", name, i), body[:i])
				for _, b := range []byte{0, 1, 0x7f, 0x80, 0xff} {
					changed := bytes.Clone(body)
					changed[i] = b
					try(fmt.Sprintf("%s with %x at %d", name, b, i), changed)
					try(fmt.Sprintf("%s with %x added at %d", name, b, i), append(append(bytes.Clone(body[:i]), b), body[i:]...))
				}
			}
		}
		if refused < 1000 {
			t.Errorf("only %d were refused", refused)
		}
	})
	t.Run("M7 values out of order, doubled, without a name or without JSON", func(t *testing.T) {
		t.Parallel()
		body := bodies(t)["record"]
		head, _, _ := bytes.Cut(body, []byte("\x05items"))
		head = bytes.Clone(head)
		for what, values := range map[string]string{
			"out of order":  "\x01b\x011\x01a\x012",
			"doubled":       "\x01a\x011\x01a\x012",
			"no name":       "\x00\x011",
			"no JSON":       "\x01a\x00",
			"cut":           "\x01a\x05x",
			"a long length": "\x81\x00a\x011",
			"huge":          "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		} {
			if _, err := session.Reencode(append(bytes.Clone(head), values...)); err == nil {
				t.Errorf("%s: was accepted", what)
			}
		}
		if _, err := session.Reencode(append(head, "\x01a\x011\x01b\x012"...)); err != nil {
			t.Errorf("in order: %v", err)
		}
	})
}

func TestReferenceSize(t *testing.T) {
	t.Parallel()
	st := newStore()
	m := newManager(t, session.Config{Store: st, SealKeys: []session.SealKey{session.GenerateSealKey()}})
	s := m.New()
	session.Key[string]("email").Put(s, "ada.lovelace@example.com")
	session.Key[int]("counter").Put(s, 12345)
	session.Key[string]("data").Put(s, strings.Repeat("x", 200))
	commit(t, s)
	size := len(key(s.Credential())) + len(rawValue(t, st, s.Credential()))
	if size > 450 {
		t.Errorf("a session of an e-mail address, a counter and 200 bytes takes %d bytes with its key, want at most 450", size)
	}
	t.Logf("%d bytes", size)
}

func TestUnreadableRecords(t *testing.T) {
	t.Parallel()
	k1 := session.GenerateSealKey()
	t.Run("M7 S18 what can't be read is absent, reported and left alone", func(t *testing.T) {
		t.Parallel()
		for _, keys := range [][]session.SealKey{nil, {k1}} {
			st := newStore()
			m, seen := sealing(t, st, keys...)
			_, c := begin(t, m)
			_, other := begin(t, m)
			good := rawValue(t, st, c)
			bad := map[string][]byte{
				"empty":            {},
				"another version":  append([]byte{9}, good[1:]...),
				"another envelope": append([]byte{3 - good[0]}, good[1:]...),
				"another kind":     append([]byte{good[0], good[1] ^ 0x40}, good[2:]...),
				"another's":        rawValue(t, st, other),
				"longer":           append(append([]byte(nil), good...), 0),
			}
			for n := range good {
				bad["cut to "+string(rune('A'+n%26))+strings.Repeat("+", n/26)] = good[:n]
			}
			for what, value := range bad {
				before := len(seen.of(session.Unreadable))
				overwrite(t, st, c, value)
				wantDead(t, m, c)
				if len(seen.of(session.Unreadable)) != before+1 {
					t.Errorf("%d keys: %s: no event", len(keys), what)
				}
				if got := rawValue(t, st, c); string(got) != string(value) {
					t.Errorf("%d keys: %s: it was changed", len(keys), what)
				}
			}
			overwrite(t, st, c, good)
			wantCount(t, m, c, 1)
		}
	})
	t.Run("M7 a commit over what can't be read is gone", func(t *testing.T) {
		t.Parallel()
		st := newStore()
		m, _ := sealing(t, st)
		_, c := begin(t, m)
		s := load(t, m, c)
		overwrite(t, st, c, []byte("garbage"))
		count.Update(s, increment)
		wantError(t, s.Commit(t.Context()), session.ErrGone)
	})
}
