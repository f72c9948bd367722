package upgrades_test

import (
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

type handlers = map[string]http.HandlerFunc

// wirings are the routers, and the middlewares around this one or within it,
// through which a connection has to be upgraded or a stream to flow.
var wirings = map[string]func(s *site, h handlers) http.Handler{
	"ServeMux": func(s *site, h handlers) http.Handler {
		mux := http.NewServeMux()
		for path, f := range h {
			mux.Handle("GET "+path, s.mw.Handler(f))
		}
		others := http.NewServeMux()
		pages(others)
		mux.Handle("/", s.mw.Handler(others))
		return mux
	},
	"chi":                        within(),
	"chi, Logger outside":        within(logger),
	"chi, Logger inside":         outside(logger),
	"chi, Recoverer outside":     within(quiet, middleware.Recoverer),
	"chi, Recoverer inside":      outside(quiet, middleware.Recoverer),
	"chi, Compress outside":      within(middleware.Compress(5)),
	"chi, Compress inside":       outside(middleware.Compress(5)),
	"chi, Timeout outside":       within(middleware.Timeout(time.Minute)),
	"chi, Timeout inside":        outside(middleware.Timeout(time.Minute)),
	"chi, all of them outside":   within(logger, middleware.Recoverer, middleware.Compress(5), middleware.Timeout(time.Minute)),
	"chi, all of them inside":    outside(logger, middleware.Recoverer, middleware.Compress(5), middleware.Timeout(time.Minute)),
	"chi, all of them both ways": around(logger, middleware.Recoverer, middleware.Compress(5), middleware.Timeout(time.Minute)),
}

type chain = []func(http.Handler) http.Handler

func within(outer ...func(http.Handler) http.Handler) func(*site, handlers) http.Handler {
	return func(s *site, h handlers) http.Handler { return byChi(h, outer, s, nil) }
}

func outside(inner ...func(http.Handler) http.Handler) func(*site, handlers) http.Handler {
	return func(s *site, h handlers) http.Handler { return byChi(h, nil, s, inner) }
}

func around(both ...func(http.Handler) http.Handler) func(*site, handlers) http.Handler {
	return func(s *site, h handlers) http.Handler { return byChi(h, both, s, both) }
}

func byChi(h handlers, outer chain, s *site, inner chain) http.Handler {
	r := chi.NewRouter()
	r.Use(outer...)
	r.Use(s.mw.Handler)
	r.Use(inner...)
	pages(r)
	for path, f := range h {
		r.Get(path, f)
	}
	return r
}

// logger wraps the response as chi's Logger does, and says nothing.
var logger = middleware.RequestLogger(silence{})

// quiet keeps chi's Recoverer from printing the panics that a test is about.
func quiet(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, middleware.WithLogEntry(r, silence{}))
	})
}

type silence struct{}

func (s silence) NewLogEntry(*http.Request) middleware.LogEntry { return s }
func (silence) Write(int, int, http.Header, time.Duration, any) {}
func (silence) Panic(any, []byte)                               {}
