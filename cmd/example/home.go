package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/coatcheck/coatcheck/session"
	"github.com/google/uuid"
)

const (
	identifier session.Key[string] = "identifier"
	visits     session.Key[int]    = "visits"
)

// home shows the identifier: to people on the page, to programs as a line.
func (a *app) home(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept")
	if prefersHTML(r, "text/plain") {
		a.showPage(w, r, http.StatusOK, page{})
		return
	}
	id, err := identify(r.Context(), session.FromContext(r.Context()))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "The random identifier stored with your session is:", id)
}

// identify returns the session's identifier, and gives it one at first sight.
// Of two first requests at once the later one finds, when it commits, what the
// other has stored, keeps that, and shows it.
func identify(ctx context.Context, s *session.Session) (string, error) {
	if id, _ := identifier.Get(s); id != "" {
		return id, nil
	}
	drawn := uuid.NewString()
	identifier.Update(s, func(id string) string {
		if id == "" {
			return drawn
		}
		return id
	})
	if err := s.Commit(ctx); err != nil {
		return "", err
	}
	id, _ := identifier.Get(s)
	return id, nil
}
