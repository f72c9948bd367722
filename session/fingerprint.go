package session

import "crypto/sha256"

// SetFingerprint keeps a hash of something that changes when the subject's
// sessions should end, such as the hash of his password, beside the subject.
// FingerprintIs compares. "" removes it.
func (s *Session) SetFingerprint(fingerprint string) {
	s.set(func(a *attrs) { a.print = hashOf(fingerprint) })
}

// FingerprintIs reports whether the session's fingerprint is of this text. A
// session without one matches "" alone.
func (s *Session) FingerprintIs(fingerprint string) bool {
	if s.none() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	have := s.rec.print
	if s.attrs.print != nil || s.attrs.subject != nil {
		have = s.attrs.print
	}
	want := hashOf(fingerprint)
	if have == nil {
		have = new(digest)
	}
	return *have == *want
}

// hashOf hashes a text; the zero hash stands for "".
func hashOf(text string) *digest {
	h := new(digest)
	if text != "" {
		*h = sha256.Sum256([]byte(text))
	}
	return h
}
