package main

import (
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

func (a *app) routes() http.Handler {
	r := chi.NewRouter()
	r.Use(headers, middleware.GetHead)
	r.NotFound(a.notFound)
	r.MethodNotAllowed(a.methodNotAllowed(r))
	r.Get("/healthz", healthy) // needs no session, so none is loaded
	r.Get("/nodes", a.nodes.show)
	r.Group(func(r chi.Router) {
		r.Use(a.mw.Handler)
		r.Get("/", a.home)
		r.Post("/", a.home)
		r.Get("/session", a.showSession)
		r.Post("/visits", a.visit)
		r.Post("/login", a.login)
		r.Post("/logout", a.logout)
		r.Post("/token", a.issueToken)
		r.Post("/forge", a.forge)
		r.Group(func(r chi.Router) {
			r.Use(a.mw.RequireSubject)
			r.Get("/sessions", a.showSessions)
			r.Post("/sessions/{id}/end", a.endSession)
			r.Post("/sessions/end-others", a.endOthers)
		})
	})
	return r
}

// headers sets what holds for every response. Nothing here is worth caching,
// and a back button must not show what a logout has ended.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}
