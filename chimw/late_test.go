package chimw_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

func TestLateChanges(t *testing.T) {
	t.Parallel()
	late := func(f func(s *session.Session)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "begun")
			f(session.FromContext(r.Context()))
		}
	}
	for name, c := range map[string]struct {
		do       func(s *session.Session)
		cookie   bool
		reported bool
		owner    string // afterwards, by the same cookie
	}{
		"a value":         {func(s *session.Session) { owner.Put(s, "later") }, true, false, "later"},
		"a first value":   {func(s *session.Session) { owner.Put(s, "later") }, false, true, ""},
		"nothing at all":  {func(s *session.Session) { owner.Delete(s) }, false, false, ""},
		"renewal":         {(*session.Session).Renew, true, true, "me"},
		"login":           {func(s *session.Session) { s.SetSubject("alice") }, true, true, "me"},
		"destroy":         {(*session.Session).Destroy, true, false, ""},
		"destroy and put": {func(s *session.Session) { s.Destroy(); owner.Put(s, "later") }, true, true, ""},
		"own commit": {func(s *session.Session) {
			s.Renew()
			_ = s.Commit(t.Context())
		}, true, true, ""},
	} {
		t.Run("S19 late "+name, func(t *testing.T) {
			t.Parallel()
			h := build(t)
			cookie := cookieOf(h.session("me"))
			sent := []string{}
			if c.cookie {
				sent = append(sent, cookie)
			} else {
				cookie = "Cookie: x=y"
			}
			res := h.serve(late(c.do), request("POST", "", sent...))
			wantStatus(t, res, 200)
			wantNoCookie(t, res)
			if got := h.reported(session.Dropped, "late change"); got != c.reported {
				t.Errorf("reported: %v, want %v", got, c.reported)
			}
			if got := body(t, h.serve(who, request("GET", "", cookie))); got != c.owner {
				t.Errorf("the session is %q's, want %q", got, c.owner)
			}
		})
	}
}

func TestErrorIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	var handled []int
	h := build(t, func(_ *session.Config, c *chimw.Config) {
		c.ErrorHandler = func(w http.ResponseWriter, r *http.Request, p *chimw.Problem) {
			handled = append(handled, p.Status)
			chimw.WriteProblem(w, r, p)
		}
	})
	h.store.fail(writes)
	res := h.serve(func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		owner.Put(s, "me")
		if err := s.Commit(r.Context()); err != nil {
			h.mw.Error(w, r, err)
		}
	}, request("POST", ""))
	wantStatus(t, res, 503)
	wantNoCookie(t, res)
	if len(handled) != 1 {
		t.Errorf("the error handler was called for %v", handled)
	}
	if h.reported(session.Dropped, "after an error") || h.reported(session.Dropped, "late change") {
		t.Error("what the client was told is reported as lost")
	}
}

// An answer of the same status says nothing about changes, either.
func TestChangesLostBesideTheSameStatus(t *testing.T) {
	t.Parallel()
	h := build(t)
	cookie := cookieOf(h.session("me"))
	res := h.serve(func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		owner.Put(s, "somebody else")
		other, err := h.manager.Load(r.Context(), s.Credential())
		if err != nil {
			t.Fatal(err)
		}
		other.Destroy()
		if err := other.Commit(r.Context()); err != nil {
			t.Fatal(err)
		}
		h.mw.Error(w, r, &chimw.Problem{Status: 409, Title: "That name is taken"})
	}, request("POST", "", cookie))
	wantStatus(t, res, 409)
	if !h.reported(session.Dropped, "after an error") {
		t.Error("the loss was not reported")
	}
}

// An answer that is another error does not say that changes are lost.
func TestChangesLostAfterAnotherError(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.store.fail(writes)
	res := h.serve(func(w http.ResponseWriter, r *http.Request) {
		owner.Put(session.FromContext(r.Context()), "me")
		h.mw.Error(w, r, &chimw.Problem{Status: 400})
	}, request("POST", ""))
	wantStatus(t, res, 400)
	if !h.reported(session.Dropped, "after an error") || h.reported(session.Dropped, "late change") {
		t.Error("the loss was not reported once")
	}
}
