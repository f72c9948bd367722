package main

import (
	"context"
	"net/http"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

// description is what a client may know of its session. ID and times are null
// where there is none.
type description struct {
	ID           *session.ID `json:"id"`
	Carrier      string      `json:"carrier"`
	Subject      string      `json:"subject"`
	Created      *time.Time  `json:"created"`
	Deadline     *time.Time  `json:"deadline"`
	IdleDeadline *time.Time  `json:"idle_deadline"`
	Visits       int         `json:"visits"`
}

// describe looks, and changes nothing.
func (a *app) describe(ctx context.Context, s *session.Session) description {
	d := description{Carrier: a.carrier(ctx, s), Subject: s.Subject()}
	d.Visits, _ = visits.Get(s)
	if s.Stored() {
		id, created, deadline, idle := s.ID(), s.Created().UTC(), s.Deadline().UTC(), s.IdleDeadline().UTC()
		d.ID, d.Created, d.Deadline, d.IdleDeadline = &id, &created, &deadline, &idle
	}
	return d
}

// carrier is how the session came, or, if it has just begun, how it goes back.
func (a *app) carrier(ctx context.Context, s *session.Session) string {
	switch c := a.mw.Carrier(ctx); {
	case c == chimw.Header, c == chimw.Body:
		return "token"
	case c == chimw.Cookie, s.Stored():
		return "cookie"
	default:
		return "none"
	}
}

func (a *app) showSession(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, a.describe(r.Context(), session.FromContext(r.Context())))
}

// visit counts. The answer is read after the commit, which adds to what other
// requests have counted meanwhile.
func (a *app) visit(w http.ResponseWriter, r *http.Request) {
	s := session.FromContext(r.Context())
	visits.Update(s, func(n int) int { return n + 1 })
	if err := s.Commit(r.Context()); err != nil {
		a.fail(w, r, err)
		return
	}
	if isForm(r) {
		backHome(w, r)
		return
	}
	n, _ := visits.Get(s)
	writeJSON(w, http.StatusOK, map[string]int{"visits": n})
}
