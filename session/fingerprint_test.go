package session_test

import (
	"testing"

	"github.com/coatcheck/coatcheck/session"
)

func TestFingerprint(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	s := m.New()
	if !s.FingerprintIs("") || s.FingerprintIs("x") {
		t.Error("a session without a fingerprint matches the wrong ones")
	}
	s.SetSubject("alice")
	s.SetFingerprint("one")
	check := func(s *session.Session, want string) {
		t.Helper()
		for _, p := range []string{"", "one", "two"} {
			if got := s.FingerprintIs(p); got != (p == want) {
				t.Errorf("fingerprint is %q: %v, want it to be %q", p, got, want)
			}
		}
	}
	check(s, "one")
	commit(t, s)
	check(load(t, m, s.Credential()), "one")
	s.SetFingerprint("two")
	commit(t, s)
	check(load(t, m, s.Credential()), "two")
	s.SetSubject("bob")
	check(s, "")
	commit(t, s)
	check(load(t, m, s.Credential()), "")
	s.SetFingerprint("one")
	commit(t, s)
	s.SetFingerprint("")
	commit(t, s)
	check(load(t, m, s.Credential()), "")
}
