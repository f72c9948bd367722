package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/go-chi/chi/v5"
)

// listed is one of a subject's sessions, as its owner may see it.
type listed struct {
	ID           session.ID `json:"id"`
	Current      bool       `json:"current"`
	Label        string     `json:"label"`
	Carrier      string     `json:"carrier"`
	Created      time.Time  `json:"created"`
	LastSeen     time.Time  `json:"last_seen"`
	Deadline     time.Time  `json:"deadline"`
	IdleDeadline time.Time  `json:"idle_deadline"`
}

// sessionList is what could be read of a subject's sessions. Missing are those
// that could not be reached.
type sessionList struct {
	Sessions []listed     `json:"sessions"`
	Missing  []session.ID `json:"missing"`
}

// listSessions fails only if there is nothing to show.
func listSessions(ctx context.Context, s *session.Session) (*sessionList, error) {
	infos, err := s.Manager().List(ctx, s.Subject())
	l := &sessionList{Sessions: []listed{}, Missing: unreached(err)}
	if err != nil && len(l.Missing) == 0 {
		return nil, err
	}
	for _, i := range infos {
		l.Sessions = append(l.Sessions, listed{
			ID: i.ID, Current: i.ID == s.ID(), Label: i.Label, Carrier: carrierOf(i),
			Created: i.Created.UTC(), LastSeen: i.LastSeen.UTC(), Deadline: i.Deadline.UTC(), IdleDeadline: i.IdleDeadline.UTC(),
		})
	}
	return l, nil
}

func carrierOf(i session.Info) string {
	switch {
	case i.External:
		return "external"
	case i.Token:
		return "token"
	default:
		return "cookie"
	}
}

// unreached returns the IDs of the errors that List and RevokeAll join. If the
// list itself could not be read, there is none.
func unreached(err error) []session.ID {
	ids := []session.ID{}
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return ids
	}
	for _, err := range joined.Unwrap() {
		if of := new(session.IDError); errors.As(err, &of) {
			ids = append(ids, of.ID)
		}
	}
	return ids
}

func (a *app) showSessions(w http.ResponseWriter, r *http.Request) {
	l, err := listSessions(r.Context(), session.FromContext(r.Context()))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, l)
}

// endSession ends one of the client's own sessions. One that is somebody else's
// is as unknown as one that never was.
func (a *app) endSession(w http.ResponseWriter, r *http.Request) {
	s := session.FromContext(r.Context())
	id, err := session.ParseID(chi.URLParam(r, "id"))
	if err != nil {
		a.notFound(w, r)
		return
	}
	if id == s.ID() {
		a.logout(w, r) // its cookie goes too
		return
	}
	if err := s.Manager().Revoke(r.Context(), s.Subject(), id); err != nil {
		a.fail(w, r, err)
		return
	}
	done(w, r)
}

func (a *app) endOthers(w http.ResponseWriter, r *http.Request) {
	s := session.FromContext(r.Context())
	err := s.Manager().RevokeAll(r.Context(), s.Subject(), s.ID())
	if missing := unreached(err); len(missing) > 0 {
		err = &chimw.Problem{
			Status: http.StatusServiceUnavailable, Err: err,
			Detail: fmt.Sprintf("Sessions that could not be reached, and may go on: %d. The others were ended.", len(missing)),
		}
	}
	if err != nil {
		a.mw.Error(w, r, err)
		return
	}
	done(w, r)
}
