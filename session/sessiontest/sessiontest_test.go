package sessiontest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/sessiontest"
)

const visits session.Key[int] = "visits"

func login(w http.ResponseWriter, r *http.Request) {
	s := session.FromContext(r.Context())
	visits.Update(s, func(n int) int { return n + 1 })
	s.SetSubject(r.FormValue("user"))
	w.WriteHeader(http.StatusNoContent)
}

func TestHandler(t *testing.T) {
	t.Parallel()
	s := sessiontest.New(t)
	visits.Put(s, 41)
	r := httptest.NewRequest("POST", "/login?user=alice", nil)
	w := httptest.NewRecorder()
	login(w, r.WithContext(session.NewContext(r.Context(), s)))
	if n, _ := visits.Get(s); n != 42 || s.Subject() != "alice" || w.Code != 204 {
		t.Errorf("visits %d, subject %q, status %d", n, s.Subject(), w.Code)
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	m := sessiontest.NewManager(t)
	s := sessiontest.Next(t, m.New())
	if s.Stored() {
		t.Error("an empty session is stored")
	}
	visits.Put(s, 1)
	s = sessiontest.Next(t, s)
	if n, _ := visits.Get(s); n != 1 || !s.Stored() {
		t.Errorf("visits %d, stored %v", n, s.Stored())
	}
	s.Destroy()
	s = sessiontest.Next(t, s)
	if _, ok := visits.Get(s); ok || s.Stored() {
		t.Error("a destroyed session is there")
	}
}

func logoutOthers(w http.ResponseWriter, r *http.Request) {
	s := session.FromContext(r.Context())
	if err := s.Manager().RevokeAll(r.Context(), s.Subject(), s.ID()); err != nil {
		http.Error(w, "some could not be reached", http.StatusServiceUnavailable)
	}
}

func TestSeveralClients(t *testing.T) {
	t.Parallel()
	m := sessiontest.NewManager(t)
	phone, laptop := m.New(), m.New()
	phone.SetSubject("alice")
	laptop.SetSubject("alice")
	phone, laptop = sessiontest.Next(t, phone), sessiontest.Next(t, laptop)

	r := httptest.NewRequest("POST", "/logout/others", nil)
	logoutOthers(httptest.NewRecorder(), r.WithContext(session.NewContext(r.Context(), laptop)))
	phone, laptop = sessiontest.Next(t, phone), sessiontest.Next(t, laptop)
	if phone.Stored() || !laptop.Stored() {
		t.Errorf("the phone's is stored: %t, the laptop's: %t", phone.Stored(), laptop.Stored())
	}
}
