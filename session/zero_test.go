package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

func TestNil(t *testing.T) {
	t.Parallel()
	s := session.FromContext(t.Context())
	if s != nil {
		t.Fatal("a context without a session gives one")
	}
	for name, s := range map[string]*session.Session{"nil": s, "zero": new(session.Session)} {
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
			t.Errorf("a %s session holds something", name)
		}
		if _, ok := count.Pop(s); ok {
			t.Errorf("a %s session holds something", name)
		}
		if s.Stored() || s.Subject() != "" || !s.ID().IsZero() || s.Keys() != nil || !s.Deadline().IsZero() || !s.Credential().IsZero() {
			t.Errorf("a %s session says that it is something", name)
		}
		if err := s.Commit(t.Context()); err == nil || s == nil && !strings.Contains(err.Error(), "is the middleware mounted?") {
			t.Errorf("error is %v", err)
		}
	}
	var m *session.Manager
	for _, m := range []*session.Manager{m, new(session.Manager)} {
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
	}
}

func TestZeroValues(t *testing.T) {
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
	if _, err := session.NewSealKey(make([]byte, 31)); err == nil {
		t.Error("a seal key of 31 bytes was taken")
	}
	var s *session.Session
	if s.Pending() || s.Destroyed() || s.FingerprintIs("") || fmt.Sprint(s) != "session.Session(nil)" || s.LogValue().String() != "" {
		t.Error("a nil session says that it is something")
	}
	if session.NewContext(t.Context(), nil) != t.Context() {
		t.Error("a nil session makes a context")
	}
	var none *session.Manager
	if none.FromContext(t.Context()) != nil || none.Name() != "" || fmt.Sprint(none) != "session.Manager()" {
		t.Error("a nil manager says that it is something")
	}
	none.Report(t.Context(), session.Event{})
	if _, err := none.List(t.Context(), "x"); err == nil {
		t.Error("a nil manager lists")
	}
	if none.Revoke(t.Context(), "x") == nil || none.RevokeAll(t.Context(), "x") == nil {
		t.Error("a nil manager revokes")
	}
}
