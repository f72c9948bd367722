package main

import (
	"fmt"
	"net/http"
	"unicode"
	"unicode/utf8"

	"github.com/coatcheck/coatcheck/session"
)

const (
	maxLoginBytes = 8 << 10
	maxUserRunes  = 64
)

// login believes everybody: passwords are no part of a session. That the
// subject changes is enough for a new session ID.
func (a *app) login(w http.ResponseWriter, r *http.Request) {
	user, err := readUser(w, r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	s := session.FromContext(r.Context())
	s.SetSubject(user)
	s.SetLabel(label(r.UserAgent()))
	if err := s.Commit(r.Context()); err != nil { // its new ID and times are part of the answer
		a.fail(w, r, err)
		return
	}
	if isForm(r) {
		backHome(w, r)
		return
	}
	writeJSON(w, http.StatusOK, a.describe(r.Context(), s))
}

func (a *app) logout(w http.ResponseWriter, r *http.Request) {
	session.FromContext(r.Context()).Destroy()
	done(w, r)
}

// readUser returns the user that a form or a JSON object names. Its errors are
// meant for the client.
func readUser(w http.ResponseWriter, r *http.Request) (string, error) {
	user, err := readField(w, r, "user", maxLoginBytes)
	if err == nil && !validUser(user) {
		err = invalid(http.StatusBadRequest, fmt.Sprintf("The field user must be 1 to %d printable characters.", maxUserRunes))
	}
	return user, err
}

func validUser(user string) bool {
	for _, r := range user {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return false
		}
	}
	return visible(user) && utf8.RuneCountInString(user) <= maxUserRunes
}
