package session

import (
	"context"
	"encoding/json"
)

// A Key is the name of a value and, by its type parameter, the value's type:
//
//	const visits session.Key[int] = "visits"
//
// Names are 1 to 255 bytes, or Commit fails; libraries should use "package.name". Values are
// stored as JSON, so that T's exported fields are what is kept, and the rules of
// encoding/json say how. Keys are constants: they need no initialisation and
// are safe for concurrent use, as sessions are.
//
// Two keys with the same name and different types name the same value. A value
// that doesn't fit the type it is read as counts as absent, and is reported as
// [Unreadable]: a new version of a program must not lock its users out.
type Key[T any] string

// Get returns the value, and whether there is one. It costs no store call. What
// it returns is the caller's own: changing it changes nothing in the session.
//
// A Get followed by a Put is not protected from other requests that do the
// same: between the two, another may commit, and the Put overwrites it. Use
// Update for a value that depends on the one before.
func (k Key[T]) Get(s *Session) (T, bool) {
	if s.none() {
		return *new(T), false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return k.get(s)
}

func (k Key[T]) get(s *Session) (T, bool) {
	raw, ok := s.vals.get(string(k))
	return k.decode(s.m, s.rec.id, raw, ok)
}

func (k Key[T]) decode(m *Manager, id ID, raw []byte, present bool) (v T, ok bool) {
	if !present {
		return v, false
	}
	if p, is := any(&v).(*string); is {
		if *p, ok = plainText(raw); ok {
			return v, true
		}
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		m.Report(context.Background(), Event{Kind: Unreadable, ID: id, Reason: reasonValue, Err: &valueError{string(k), err}})
		return *new(T), false
	}
	return v, true
}

// plainText returns the text of a JSON string without escapes, which needs no
// decoder; ok is false for all else.
func plainText(raw []byte) (text string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return "", false
	}
	raw = raw[1 : len(raw)-1]
	for _, c := range raw {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return "", false
		}
	}
	return string(raw), true
}

// Put sets the value. A value that can't be encoded as JSON is a programmer's
// error: Commit reports it, naming the key, and writes nothing.
func (k Key[T]) Put(s *Session, v T) {
	raw, err := encodeValue(string(k), v)
	s.change(change{kind: put, key: string(k), raw: raw, err: err})
}

// Update replaces the value by f of it, or by f of the zero T if there is none,
// and returns the new one. No concurrent Update is lost: if another request
// commits first, f runs again during the commit, on fresh data. What Update
// returned may then be outdated; a handler whose answer depends on it calls
// Commit, then Get.
//
// f must be pure, may run any number of times, and must not use the session:
// like sync.Once's, it runs with the session locked. It is given a value of its
// own, which it may change and return; a map that is absent is nil, so that f
// has to make one before it writes to it.
func (k Key[T]) Update(s *Session, f func(T) T) T {
	if s.none() {
		unmounted()
		return f(*new(T))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m, id := s.m, s.rec.id
	var latest T // written by every run, all of them with the session locked
	replay := func(raw []byte, present bool) ([]byte, error) {
		old, _ := k.decode(m, id, raw, present)
		latest = f(old)
		return encodeValue(string(k), latest)
	}
	s.record(change{kind: update, key: string(k), f: replay})
	return latest
}

// Pop returns the value, and whether there was one, and removes it: for a
// message that is to be shown once. If another request puts a new value first,
// that one stays.
func (k Key[T]) Pop(s *Session) (v T, ok bool) {
	if s.none() {
		return v, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	raw, present := s.vals.get(string(k))
	if !present {
		return v, false
	}
	v, ok = k.decode(s.m, s.rec.id, raw, present)
	s.record(change{kind: pop, key: string(k), raw: raw})
	return v, ok
}

// Delete removes the value. That there is none is not an error.
func (k Key[T]) Delete(s *Session) { s.change(change{kind: remove, key: string(k)}) }

// A valueError names the key whose value doesn't fit its type.
type valueError struct {
	key string
	err error
}

func (e *valueError) Error() string { return "value of key " + e.key + ": does not fit its type" }
func (e *valueError) Unwrap() error { return e.err }
