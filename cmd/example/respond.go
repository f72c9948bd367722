package main

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/go-chi/chi/v5"
)

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody to tell
}

// isForm reports whether a browser's form was sent, whose sender wants to see
// the page again.
func isForm(r *http.Request) bool {
	t := contentType(r)
	return t == "application/x-www-form-urlencoded" || t == "multipart/form-data"
}

func contentType(r *http.Request) string {
	t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return t
}

func backHome(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusSeeOther) }

// done answers where there is nothing to tell: with the page, or with nothing.
func done(w http.ResponseWriter, r *http.Request) {
	if isForm(r) {
		backHome(w, r)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// invalid is a problem with what the client sent, which detail tells it.
func invalid(status int, detail string) *chimw.Problem {
	return &chimw.Problem{Status: status, Title: http.StatusText(status), Detail: detail}
}

// refuse answers with a problem: to people as a page, to programs as an RFC
// 9457 document. The middleware uses it too.
func (a *app) refuse(w http.ResponseWriter, r *http.Request, p *chimw.Problem) {
	if p.Status >= http.StatusInternalServerError && !told(p) {
		a.log.WarnContext(r.Context(), "failed", "method", r.Method, "path", r.URL.Path, "status", p.Status, "error", p.Error())
	}
	w.Header().Add("Vary", "Accept")
	if prefersHTML(r, "application/problem+json") {
		a.render(w, r, p.Status, "problem", p)
		return
	}
	chimw.WriteProblem(w, r, p)
}

// fail answers with what an error means. What is wrong with the client's input
// has nothing to do with its session: the middleware would add a challenge.
func (a *app) fail(w http.ResponseWriter, r *http.Request, err error) {
	var p *chimw.Problem
	if errors.As(err, &p) {
		a.refuse(w, r, p)
		return
	}
	a.mw.Error(w, r, err)
}

func (a *app) notFound(w http.ResponseWriter, r *http.Request) {
	a.refuse(w, r, invalid(http.StatusNotFound, ""))
}

// methodNotAllowed names the methods that would do, as RFC 9110 section 15.5.6
// demands.
func (a *app) methodNotAllowed(routes chi.Routes) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			if routes.Match(chi.NewRouteContext(), method, r.URL.Path) {
				w.Header().Add("Allow", method)
			}
		}
		a.refuse(w, r, invalid(http.StatusMethodNotAllowed, ""))
	}
}
