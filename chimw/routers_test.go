package chimw_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
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

// visitor is a browser, or, without a jar, an API client.
type visitor struct {
	t    *testing.T
	base string
	http http.Client
}

// reply is a response whose body was read.
type reply struct {
	status int
	header http.Header
	body   string
}

func (v *visitor) do(method, path string, headers ...string) reply {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Add(name, value)
	}
	res, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	return reply{res.StatusCode, res.Header, body(v.t, res)}
}

func (v *visitor) want(wantStatus int, wantBody, method, path string, headers ...string) {
	v.t.Helper()
	if r := v.do(method, path, headers...); r.status != wantStatus || wantStatus == 200 && r.body != wantBody {
		v.t.Errorf("%s %s: %d %q, want %d %q", method, path, r.status, r.body, wantStatus, wantBody)
	}
}

// cookies returns what the browser would send, as a Cookie header's value.
func (v *visitor) cookies(scheme string) string {
	u, err := url.Parse(v.base)
	if err != nil {
		v.t.Fatal(err)
	}
	u.Scheme = scheme
	var pairs []string
	for _, c := range v.http.Jar.Cookies(u) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

// serving starts a server, over TLS or not, and returns how to make clients.
// They know it as example.com, since a browser makes exceptions for loopback.
func serving(t *testing.T, scheme string, handler http.Handler) (newClient func(jar bool) *visitor) {
	t.Helper()
	srv := httptest.NewUnstartedServer(handler)
	if scheme == "https" {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	transport := srv.Client().Transport.(*http.Transport)
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String())
	}
	return func(jar bool) *visitor {
		v := &visitor{t, scheme + "://example.com", http.Client{Transport: transport}}
		if jar {
			v.http.Jar, _ = cookiejar.New(nil) // never an error
		}
		return v
	}
}

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

// twice mounts two middlewares over one store, one within the other. Each has
// to have a header of its own: a token that a middleware doesn't know is
// refused, not passed over in silence.
func twice(t *testing.T, options ...option) (site, admin *house, newClient func(jar bool) *visitor) {
	site = build(t)
	admin = build(t, append([]option{func(m *session.Config, c *chimw.Config) {
		m.Store, m.Name = site.store, "admin"
		c.Tokens, c.Header, c.NoBearer = site.signer, "X-Admin-Token", true
	}}, options...)...)
	r := chi.NewRouter()
	r.Use(site.mw.Handler)
	site.pages(r, "")
	r.Route("/admin", func(r chi.Router) {
		r.Use(admin.mw.Handler)
		admin.pages(r, "")
		r.Handle("/both", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			outer, inner := site.manager.FromContext(r.Context()), admin.manager.FromContext(r.Context())
			if session.FromContext(r.Context()) != inner || inner == outer {
				t.Error("session.FromContext is not the innermost middleware's")
			}
			if r.Method == "POST" {
				owner.Put(outer, "visitor")
				owner.Put(inner, "administrator")
			}
			a, _ := owner.Get(outer)
			b, _ := owner.Get(inner)
			fmt.Fprintf(w, "%s by %s, %s by %s", a, site.mw.Carrier(r.Context()), b, admin.mw.Carrier(r.Context()))
		}))
	})
	return site, admin, serving(t, "http", r)
}

func TestMountedTwice(t *testing.T) {
	t.Parallel()
	site, admin, newClient := twice(t)
	browser, client := newClient(true), newClient(false)
	t.Run("S16 C9 each sets its own cookie, once", func(t *testing.T) {
		res := browser.do("POST", "/admin/both")
		if got := res.header["Set-Cookie"]; len(got) != 2 || len(res.header["Cache-Control"]) != 1 {
			t.Errorf("Set-Cookie is %q", got)
		}
		if got := browser.cookies("http"); !strings.Contains(got, "session=") || !strings.Contains(got, "admin=") {
			t.Errorf("the browser has %s", got)
		}
		if got := strings.Join(res.header["Vary"], ", "); got != "Cookie, X-Auth-Token, Authorization, X-Admin-Token" {
			t.Errorf("K1 Vary is %q", got)
		}
	})
	t.Run("S16 X6 each has its own session", func(t *testing.T) {
		browser.want(200, "visitor by cookie, administrator by cookie", "GET", "/admin/both")
		browser.want(200, "visitor", "GET", "/who")
		browser.want(200, "administrator", "GET", "/admin/who")
	})
	t.Run("S16 a logout ends one of them", func(t *testing.T) {
		browser.want(200, "", "POST", "/admin/logout")
		browser.want(200, "visitor by cookie,  by none", "GET", "/admin/both")
	})
	a, _ := site.token("client")
	b, _ := admin.token("robot")
	t.Run("S16 each has its own token and header", func(t *testing.T) {
		client.want(200, "client by header, robot by header", "GET", "/admin/both", header(a), "X-Admin-Token: "+b)
		client.want(200, " by none, robot by header", "GET", "/admin/both", "X-Admin-Token: "+b)
		client.want(200, "client by header,  by none", "GET", "/admin/both", "Authorization: Bearer "+a)
		browser.want(200, "visitor by cookie, robot by header", "GET", "/admin/both", "X-Admin-Token: "+b)
	})
	t.Run("S16 J8 neither takes the other's", func(t *testing.T) {
		client.want(401, "", "GET", "/admin/both", header(b))
		client.want(401, "", "GET", "/admin/both", "X-Admin-Token: "+a)
		client.want(200, "client", "GET", "/who", header(a), "X-Admin-Token: "+b)
	})
	t.Run("S16 with the same header the outer one refuses the inner one's tokens", func(t *testing.T) {
		_, admin, newClient := twice(t, func(_ *session.Config, c *chimw.Config) { c.Header, c.NoBearer = "", false })
		b, _ := admin.token("robot")
		newClient(false).want(401, "", "GET", "/admin/both", header(b))
	})
}

func TestMountedTwiceAndFailing(t *testing.T) {
	t.Parallel()
	t.Run("M5 the inner one's commit fails: the outer one's is answered for", func(t *testing.T) {
		t.Parallel()
		site, _, newClient := twice(t)
		site.store.fail(func(op, key string) bool { return op == "create" && strings.HasPrefix(key, "admin") })
		browser := newClient(true)
		browser.want(503, "", "POST", "/admin/both")
		site.store.fail(nil)
		browser.want(200, "visitor by cookie,  by none", "GET", "/admin/both")
	})
	t.Run("M5 the outer one's commit fails: an error, whatever became of the inner one", func(t *testing.T) {
		t.Parallel()
		site, _, newClient := twice(t)
		site.store.fail(func(op, key string) bool { return op == "create" && !strings.HasPrefix(key, "admin") })
		res := newClient(true).do("POST", "/admin/both")
		if res.status != 503 || strings.Contains(res.body, "visitor") {
			t.Errorf("%d %s", res.status, res.body)
		}
	})
}

// TestOrder is about what the order of chi's middlewares and this one decides.
func TestOrder(t *testing.T) {
	t.Parallel()
	crash := func(_ http.ResponseWriter, r *http.Request) {
		owner.Put(session.FromContext(r.Context()), "me")
		panic("the handler's")
	}
	wait := func(_ http.ResponseWriter, r *http.Request) {
		owner.Put(session.FromContext(r.Context()), "me")
		<-r.Context().Done()
	}
	for name, c := range map[string]struct {
		outside, inside chain
		page            http.HandlerFunc
		status          int
		kept            string
	}{
		"C13 Recoverer outside: nothing is committed": {chain{quiet, middleware.Recoverer}, nil, crash, 500, ""},
		"C13 Recoverer inside: an answer like any":    {nil, chain{quiet, middleware.Recoverer}, crash, 500, "me"},
		"C13 Timeout outside: an answer like any":     {chain{middleware.Timeout(time.Millisecond)}, nil, wait, 504, "me"},
		"C13 Timeout inside: an answer like any":      {nil, chain{middleware.Timeout(time.Millisecond)}, wait, 504, "me"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t)
			r := chi.NewRouter()
			r.Use(c.outside...)
			r.Use(h.mw.Handler)
			r.With(c.inside...).Get("/page", c.page)
			h.pages(r, "")
			browser := serving(t, "http", r)(true)
			browser.want(c.status, "", "GET", "/page")
			browser.want(200, c.kept, "GET", "/who")
		})
	}
}

func TestCompress(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("the handler's. ", 100)
	for name, c := range map[string]struct{ outside, inside chain }{
		"outside": {chain{middleware.Compress(5)}, nil},
		"inside":  {nil, chain{middleware.Compress(5)}},
	} {
		h := build(t)
		r := chi.NewRouter()
		r.Use(c.outside...)
		r.Use(h.mw.Handler)
		r.With(c.inside...).Handle("/text", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			owner.Put(session.FromContext(r.Context()), r.FormValue("who"))
			w.Header().Set("Content-Type", "text/plain")
			io.WriteString(w, text)
		}))
		client := serving(t, "http", r)(false)
		t.Run("C13 K1 "+name+": compressed, with the cookie", func(t *testing.T) {
			res := client.do("GET", "/text?who=me", "Accept-Encoding: gzip")
			if res.status != 200 || res.header.Get("Content-Encoding") != "gzip" || len(res.header["Set-Cookie"]) != 1 {
				t.Errorf("%d %v", res.status, res.header)
			}
			if vary := strings.Join(res.header["Vary"], ", "); !strings.Contains(vary, "Accept-Encoding") || !strings.Contains(vary, "Cookie") {
				t.Errorf("Vary is %q", vary)
			}
			z, err := gzip.NewReader(strings.NewReader(res.body))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(z); string(got) != text || err != nil {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
		t.Run("E1 "+name+": an error can be read", func(t *testing.T) {
			res := client.do("GET", "/text?who="+strings.Repeat("x", maxValue), "Accept-Encoding: gzip")
			if res.status != 500 || res.header.Get("Content-Encoding") != "" || !strings.HasPrefix(res.body, `{"status":500`) || strings.Count(res.body, "}") != 1 {
				t.Errorf("%d %v %q", res.status, res.header, res.body)
			}
		})
	}
}

// TestTimeoutHandler cuts the answer off while the handler goes on.
func TestTimeoutHandler(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(*session.Session){
		"S7 a logout that comes too late for the answer is no less one": (*session.Session).Destroy,
		"S6 a renewal that comes too late leaves no live credential":    (*session.Session).Renew,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t)
			answered, over := make(chan struct{}), make(chan struct{})
			inner := h.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				<-r.Context().Done()
				<-answered
				do(session.FromContext(r.Context()))
				if _, err := io.WriteString(w, "in vain"); err != http.ErrHandlerTimeout {
					t.Errorf("the handler's Write says %v", err)
				}
			}))
			outer := http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(over)
				inner.ServeHTTP(w, r)
			}), time.Millisecond, "too late")
			cookie := cookieOf(h.session("me"))
			client := serving(t, "http", outer)(false)
			res := client.do("POST", "/", cookie)
			if res.status != 503 || res.body != "too late" || len(res.header["Set-Cookie"]) > 0 {
				t.Errorf("%d %v %s", res.status, res.header, res.body)
			}
			close(answered)
			<-over
			if got := body(t, h.serve(who, request("GET", "", cookie))); got != "" {
				t.Errorf("the cookie still opens %q's session", got)
			}
		})
	}
}
