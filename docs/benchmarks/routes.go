package benchmarks

import (
	"io"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"
)

// Hello is what routes answer that have nothing to say.
const Hello = "hello"

// Routes mounts the same handlers on every library:
//
//	GET  /empty       outside of the middleware
//	GET  /anonymous   inside, touches no session and needs none
//	POST /login?key   begins a session for the user who has that key
//	POST /token       answers with a token for the session
//	GET  /untouched   needs a session, which it does not touch
//	GET  /read        answers with the e-mail address
//	GET  /value?name  answers with any other string
//	POST /count       adds one to the counter, and answers with it
func Routes(l Library, users func(key string) User) http.Handler {
	r := chi.NewRouter()
	r.Get("/empty", hello)
	r.Group(func(r chi.Router) {
		r.Use(l.Middleware)
		r.Get("/anonymous", hello)
		r.Post("/login", answer(func(w http.ResponseWriter, r *http.Request) (string, error) {
			return Hello, l.Login(w, r, users(r.URL.RawQuery))
		}))
		if i, ok := l.(Issuer); ok {
			r.Post("/token", answer(func(_ http.ResponseWriter, r *http.Request) (string, error) { return i.Token(r) }))
		}
		r.Group(func(r chi.Router) { guarded(r, l) })
	})
	return r
}

func guarded(r chi.Router, l Library) {
	if g, ok := l.(Guard); ok {
		r.Use(g.Guard)
	}
	r.Get("/untouched", hello)
	r.Get("/read", answer(func(_ http.ResponseWriter, r *http.Request) (string, error) {
		return l.Value(r, emailKey), nil
	}))
	r.Get("/value", answer(func(_ http.ResponseWriter, r *http.Request) (string, error) {
		return l.Value(r, r.URL.RawQuery), nil
	}))
	r.Post("/count", answer(func(w http.ResponseWriter, r *http.Request) (string, error) {
		n, err := l.Count(w, r)
		return strconv.Itoa(n), err
	}))
}

func hello(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, Hello) }

func answer(f func(http.ResponseWriter, *http.Request) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, err := f(w, r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		io.WriteString(w, text)
	}
}
