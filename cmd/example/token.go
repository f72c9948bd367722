package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

// grant is a token as RFC 6750 section 4 names its parts.
type grant struct {
	Token     string    `json:"token"`
	TokenType string    `json:"token_type"`
	ExpiresAt time.Time `json:"expires_at"`
}

// issueToken gives the client a token for its session. A client without one
// gets a session that the token alone carries.
func (a *app) issueToken(w http.ResponseWriter, r *http.Request) {
	s := session.FromContext(r.Context())
	began := !s.Stored()
	token, err := a.mw.IssueToken(r.Context(), s)
	if errors.Is(err, chimw.ErrExternal) {
		err = invalid(http.StatusForbidden, "The token that you showed is the one for this session.")
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	g := grant{Token: token.Reveal(), TokenType: "Bearer", ExpiresAt: token.ExpiresAt().UTC()}
	w.Header().Add("Vary", "Accept")
	if prefersHTML(r, "application/json") {
		a.showPage(w, r, http.StatusCreated, page{
			Grant: &g, Curl: a.curlLine(r, g.Token), HTTPie: a.httpieLine(r, g.Token), TokenOnly: began,
		})
		return
	}
	writeJSON(w, http.StatusCreated, g)
}
