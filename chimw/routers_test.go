package chimw_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

// mux is what ServeMux and chi's routers have in common.
type mux interface {
	Handle(pattern string, h http.Handler)
}

// pages are an application. None of them knows what it is mounted on.
func (h *house) pages(r mux, prefix string) {
	page := func(path string, do func(s *session.Session, r *http.Request) string) {
		r.Handle(prefix+path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text := do(session.FromContext(r.Context()), r)
			w.Header().Set("Content-Type", "text/plain")
			io.WriteString(w, text)
		}))
	}
	page("/who", func(s *session.Session, _ *http.Request) string { v, _ := owner.Get(s); return v + s.Subject() })
	page("/put", func(s *session.Session, r *http.Request) string { owner.Put(s, r.FormValue("who")); return "" })
	page("/login", func(s *session.Session, _ *http.Request) string { s.SetSubject(", signed in"); return "" })
	page("/logout", func(s *session.Session, _ *http.Request) string { s.Destroy(); return "" })
	page("/token", func(s *session.Session, r *http.Request) string {
		tok, err := h.mw.IssueToken(r.Context(), s)
		if err != nil {
			h.t.Error(err)
		}
		return tok.Reveal()
	})
	r.Handle(prefix+"/account", h.mw.RequireSubject(http.HandlerFunc(who)))
}

// routers are the ways to mount the middleware; each returns a handler and
// where its pages are.
var routers = map[string]func(h *house) (http.Handler, string){
	"ServeMux": func(h *house) (http.Handler, string) {
		m := http.NewServeMux()
		h.pages(m, "")
		return h.mw.Handler(m), ""
	},
	"ServeMux, around each page": func(h *house) (http.Handler, string) {
		m := http.NewServeMux()
		h.pages(around{m, h.mw.Handler}, "/app")
		return m, "/app"
	},
	"chi's Use": byUse(nil, nil),
	"chi's With": func(h *house) (http.Handler, string) {
		r := chi.NewRouter()
		h.pages(r.With(h.mw.Handler), "")
		return r, ""
	},
	"chi's Route": func(h *house) (http.Handler, string) { r := chi.NewRouter(); r.Route("/app", h.use); return r, "/app" },
	"chi's Group": func(h *house) (http.Handler, string) {
		r := chi.NewRouter()
		r.Get("/elsewhere", http.NotFound)
		r.Group(h.use)
		return r, ""
	},
	"chi's Mount": func(h *house) (http.Handler, string) {
		r, sub := chi.NewRouter(), chi.NewRouter()
		h.use(sub)
		r.Mount("/app", sub)
		return r, "/app"
	},
	"Recoverer outside":      byUse(chain{quiet, middleware.Recoverer}, nil),
	"Recoverer inside":       byUse(nil, chain{quiet, middleware.Recoverer}),
	"Compress outside":       byUse(chain{middleware.Compress(5)}, nil),
	"Compress inside":        byUse(nil, chain{middleware.Compress(5)}),
	"Timeout outside":        byUse(chain{middleware.Timeout(time.Minute)}, nil),
	"Timeout inside":         byUse(nil, chain{middleware.Timeout(time.Minute)}),
	"StripSlashes outside":   byUse(chain{middleware.StripSlashes}, nil),
	"StripSlashes inside":    byUse(nil, chain{middleware.StripSlashes}),
	"all of them outside":    byUse(all, nil),
	"all of them inside":     byUse(nil, all),
	"all of them, both ways": byUse(all, all),
	"http.TimeoutHandler inside": byUse(nil, chain{func(next http.Handler) http.Handler {
		return http.TimeoutHandler(next, time.Minute, "too late")
	}}),
	"http.TimeoutHandler outside": func(h *house) (http.Handler, string) {
		inner, prefix := byUse(nil, nil)(h)
		return http.TimeoutHandler(inner, time.Minute, "too late"), prefix
	},
}

type chain = []func(http.Handler) http.Handler

var all = chain{quiet, middleware.Recoverer, middleware.Compress(5), middleware.Timeout(time.Minute), middleware.StripSlashes}

func (h *house) use(r chi.Router) {
	r.Use(h.mw.Handler)
	h.pages(r, "")
}

func byUse(outside, inside chain) func(h *house) (http.Handler, string) {
	return func(h *house) (http.Handler, string) {
		r := chi.NewRouter()
		r.Use(outside...)
		r.Use(h.mw.Handler)
		r.Use(inside...)
		h.pages(r, "")
		return r, ""
	}
}

// around mounts a middleware around each page by itself.
type around struct {
	*http.ServeMux
	mw func(http.Handler) http.Handler
}

func (a around) Handle(pattern string, h http.Handler) { a.ServeMux.Handle(pattern, a.mw(h)) }

// quiet keeps chi's Recoverer from printing the panics that a test is about.
func quiet(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, middleware.WithLogEntry(r, silence{}))
	})
}

type silence struct{}

func (silence) Write(int, int, http.Header, time.Duration, any) {}
func (silence) Panic(any, []byte)                               {}

func TestRouters(t *testing.T) {
	t.Parallel()
	for scheme, cookie := range map[string]string{"https": "__Host-session", "http": "session"} {
		for name, mount := range routers {
			t.Run(scheme+" "+name, func(t *testing.T) {
				t.Parallel()
				h := build(t, func(_ *session.Config, c *chimw.Config) { c.InsecureCookie = scheme == "http" })
				handler, prefix := mount(h)
				newClient := serving(t, scheme, handler)
				browser, client := newClient(true), newClient(false)
				browser.base += prefix
				client.base += prefix
				tour(t, scheme, cookie, browser, client)
				if strings.HasPrefix(name, "StripSlashes") {
					browser.want(200, "", "GET", "/who/")
				}
				if h.reported(session.Dropped, "late change") {
					t.Error("changes were lost")
				}
			})
		}
	}
}

// tour is everything that a browser and an API client do.
func tour(t *testing.T, scheme, cookie string, browser, client *visitor) {
	browser.want(200, "", "GET", "/who")
	if got := browser.cookies(scheme); got != "" {
		t.Errorf("S15 a visitor who did nothing has %s", got)
	}
	browser.want(401, "", "GET", "/account")
	browser.want(200, "", "POST", "/put?who=me")
	browser.want(200, "me", "GET", "/who")
	first := browser.cookies(scheme)
	if !strings.HasPrefix(first, cookie+"=") || strings.Contains(first, ";") {
		t.Errorf("C1 the browser has %q, want one %s", first, cookie)
	}
	if got := browser.cookies("http"); scheme == "https" && got != "" {
		t.Errorf("C1 the browser sends %s in clear", got)
	}

	browser.want(200, "", "POST", "/login")
	browser.want(200, "me, signed in", "GET", "/who")
	browser.want(200, "me", "GET", "/account")
	second := browser.cookies(scheme)
	if second == first {
		t.Error("S5 the login changed no cookie")
	}
	client.want(200, "", "GET", "/who", "Cookie: "+first)

	tok := browser.do("POST", "/token").body
	client.want(200, "me, signed in", "GET", "/who", header(tok))
	client.want(200, "me", "GET", "/account", "Authorization: Bearer "+tok)
	client.want(401, "", "GET", "/who", header(flip(tok)))

	browser.want(200, "", "POST", "/logout")
	if got := browser.cookies(scheme); got != "" {
		t.Errorf("S7 C10 after the logout the browser has %s", got)
	}
	client.want(200, "", "GET", "/who", "Cookie: "+second)
	client.want(401, "", "GET", "/who", header(tok))
}
