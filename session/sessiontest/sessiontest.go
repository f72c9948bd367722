// Package sessiontest lets an application test its handlers without a
// middleware, a server or a store of its own:
//
//	s := sessiontest.New(t)
//	visits.Put(s, 41)
//	r := httptest.NewRequest("POST", "/login?user=alice", nil)
//	w := httptest.NewRecorder()
//	login(w, r.WithContext(session.NewContext(r.Context(), s)))
//	if n, _ := visits.Get(s); n != 42 || s.Subject() != "alice" || w.Code != 204 {
//		t.Errorf("visits %d, subject %q, status %d", n, s.Subject(), w.Code)
//	}
//
// What the handler did is then in s: its values, its Subject, Destroyed and so
// on. Nothing is committed unless the handler or the test does it; [Next] does, and
// returns what the client's next request would see. Several clients have
// sessions of one manager:
//
//	m := sessiontest.NewManager(t)
//	phone, laptop := m.New(), m.New()
//	phone.SetSubject("alice")
//	laptop.SetSubject("alice")
//	phone, laptop = sessiontest.Next(t, phone), sessiontest.Next(t, laptop)
//
//	r := httptest.NewRequest("POST", "/logout/others", nil)
//	logoutOthers(httptest.NewRecorder(), r.WithContext(session.NewContext(r.Context(), laptop)))
//	phone, laptop = sessiontest.Next(t, phone), sessiontest.Next(t, laptop)
//	if phone.Stored() || !laptop.Stored() {
//		t.Errorf("the phone's is stored: %t, the laptop's: %t", phone.Stored(), laptop.Stored())
//	}
//
// Everything belongs to its test: managers share nothing, and tests may run in
// parallel. What goes wrong ends the test, by a Fatal.
package sessiontest

import (
	"context"
	"errors"
	"testing"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

// New returns a session that isn't stored yet, as an anonymous request has it,
// of a manager of its own.
func New(t testing.TB) *session.Session { return NewManager(t).New() }

// NewManager returns a manager with the default settings over a store in
// memory. What it observes is written to the test's log.
func NewManager(t testing.TB) *session.Manager {
	t.Helper()
	m, err := session.NewManager(session.Config{
		Store: new(memory.Store),
		Observe: func(_ context.Context, e session.Event) {
			t.Logf("session %s: %+v", e.Kind, e)
		},
	})
	if err != nil {
		t.Fatalf("sessiontest: %v", err)
	}
	return m
}

// Next commits the session and returns it as the client's next request has it:
// the same session, or, if it ended or was never stored, one that isn't stored.
// A commit that fails ends the test.
func Next(t testing.TB, s *session.Session) *session.Session {
	t.Helper()
	m := s.Manager()
	if err := s.Commit(t.Context()); err != nil {
		t.Fatalf("sessiontest: %v", err)
	}
	next, err := m.Load(t.Context(), s.Credential())
	if errors.Is(err, session.ErrNotFound) {
		return m.New()
	}
	if err != nil {
		t.Fatalf("sessiontest: %v", err)
	}
	return next
}
