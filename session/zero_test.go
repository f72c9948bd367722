package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

func TestNilAndZeroSessionsHoldNothing(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*session.Session{"nil": nil, "zero": new(session.Session)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			count.Put(s, 1)
			count.Delete(s)
			s.Renew()
			s.SetSubject("x")
			s.Clear()
			s.AllowToken()
			s.SetLabel("x")
			s.SetIdleTimeout(1)
			s.ExpireAt(time.Now().Add(time.Hour))
			s.Destroy()
			if n := count.Update(s, increment); n != 1 {
				t.Errorf("Update gives %d", n)
			}
			if _, ok := count.Get(s); ok {
				t.Error("Get finds something")
			}
			if _, ok := count.Pop(s); ok {
				t.Error("Pop finds something")
			}
			if s.Stored() || s.Subject() != "" || !s.ID().IsZero() || s.Keys() != nil || !s.Deadline().IsZero() || !s.Credential().IsZero() {
				t.Error("it says that it is something")
			}
			if s.Destroyed() || s.FingerprintIs("") {
				t.Error("it says that it was something")
			}
			if err := s.Commit(t.Context()); err == nil || s == nil && !strings.Contains(err.Error(), "is the middleware mounted?") {
				t.Errorf("error is %v", err)
			}
		})
	}
	var s *session.Session
	if text := fmt.Sprint(s); text != "session.Session(nil)" || s.LogValue().String() != "" {
		t.Errorf("a nil session is printed as %s, and logged as %s", text, s.LogValue())
	}
}

func TestNilAndZeroManagersFailClosed(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]*session.Manager{"nil": nil, "zero": new(session.Manager)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := m.Load(t.Context(), session.Credential{})
			wantError(t, err, session.ErrUnavailable)
			_, err = m.LoadVerified(t.Context(), session.ID{})
			wantError(t, err, session.ErrUnavailable)
			_, err = m.LoadExternal(t.Context(), session.ID{})
			wantError(t, err, session.ErrUnavailable)
			s := m.New()
			count.Put(s, 1)
			s.SetIdleTimeout(1)
			s.ExpireAt(time.Now().Add(time.Hour))
			s.SetSubject("x")
			s.Renew()
			wantError(t, s.Commit(t.Context()), session.ErrUnavailable)
			if _, err := m.List(t.Context(), "x"); err == nil {
				t.Error("it lists")
			}
			if m.Revoke(t.Context(), "x") == nil || m.RevokeAll(t.Context(), "x") == nil {
				t.Error("it revokes")
			}
			if m.FromContext(t.Context()) != nil || m.Name() != "" || fmt.Sprint(m) != "session.Manager()" {
				t.Error("it says that it is something")
			}
			m.Report(t.Context(), session.Event{})
		})
	}
}

func TestZeroCredentialsAndKeysOpenNothing(t *testing.T) {
	t.Parallel()
	var c session.Credential
	var k session.SealKey
	if c.Reveal() != "" || !c.ID().IsZero() || k.Reveal() != nil {
		t.Error("a zero value holds something")
	}
	m := newManager(t, session.Config{})
	_, err := m.Load(t.Context(), c)
	wantError(t, err, session.ErrNotFound)
	_, err = m.LoadOpaque(t.Context(), c)
	wantError(t, err, session.ErrNotFound)
}
