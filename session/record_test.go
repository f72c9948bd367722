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

func TestBodies(t *testing.T) {
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
