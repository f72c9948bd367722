package migrating_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/docs/migrating"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
	"github.com/coatcheck/coatcheck/session/memory"
	"github.com/coatcheck/coatcheck/tokens"
)

const (
	cart   session.Key[[]string] = "cart"
	visits session.Key[int]      = "visits"

	newCookie = "__Host-session"

	anonymous = "anonymous"
	alice     = "alice [coat scarf]"
)

// site is the application after the switch.
type site struct {
	t      *testing.T
	old    library
	store  *store
	events events

	manager *session.Manager
	mw      *chimw.Middleware
	bridge  *migrating.Bridge
	app     http.Handler
}

// newSite is one process of it. edit may change the bridge's settings.
func newSite(t *testing.T, old library, st *store, edit ...func(*migrating.Config)) *site {
	t.Helper()
	s := &site{t: t, old: old, store: st}
	var err error
	if s.manager, err = session.NewManager(session.Config{Store: st, CommitTimeout: 20 * time.Second, Observe: s.events.observe}); err != nil {
		t.Fatal(err)
	}
	if s.mw, err = chimw.New(chimw.Config{Manager: s.manager}); err != nil {
		t.Fatal(err)
	}
	cfg := migrating.Config{
		Manager: s.manager, Middleware: s.mw, Store: st, Key: key,
		Old: old.source, Copy: old.copy, Until: time.Now().Add(24 * time.Hour),
	}
	for _, f := range edit {
		f(&cfg)
	}
	if s.bridge, err = migrating.New(cfg); err != nil {
		t.Fatal(err)
	}
	s.app = s.routes()
	return s
}

var key = tokens.GenerateKey()

func (s *site) routes() http.Handler {
	r := chi.NewRouter()
	r.Use(s.mw.Handler, s.bridge.Handler)
	r.Get("/", s.whoami)
	r.Post("/", s.whoami)
	r.With(s.mw.RequireSubject).Get("/account/{page}", func(w http.ResponseWriter, r *http.Request) {
		visits.Update(session.FromContext(r.Context()), func(n int) int { return n + 1 })
		s.whoami(w, r)
	})
	r.Get("/id", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, session.FromContext(r.Context()).ID().String())
	})
	r.Get("/cookies", func(w http.ResponseWriter, r *http.Request) {
		for _, c := range r.Cookies() {
			io.WriteString(w, c.Name+" ")
		}
	})
	r.Get("/stream", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "begun ")
		if err := http.NewResponseController(w).Flush(); err != nil {
			io.WriteString(w, err.Error())
		}
		visits.Put(session.FromContext(r.Context()), 7)
		io.WriteString(w, "ended")
	})
	r.Get("/upgrade", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhijacked")
	})
	r.Post("/logout", func(_ http.ResponseWriter, r *http.Request) { session.FromContext(r.Context()).Destroy() })
	r.Post("/renew", func(_ http.ResponseWriter, r *http.Request) { session.FromContext(r.Context()).Renew() })
	return r
}

func (s *site) whoami(w http.ResponseWriter, r *http.Request) {
	session := session.FromContext(r.Context())
	items, _ := cart.Get(session)
	io.WriteString(w, describe(session.Subject(), items))
}

// describe is how both applications say who somebody is.
func describe(user string, items []string) string {
	if user == "" {
		return anonymous
	}
	return user + " [" + strings.Join(items, " ") + "]"
}

// count is how many times an account was visited, as the store has it.
func (s *site) count(issued string) (n int) {
	ask(s.mw.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n, _ = visits.Get(session.FromContext(r.Context()))
	})), "GET", "/", []*http.Cookie{{Name: newCookie, Value: issued}})
	return n
}

// live are the sessions that the user has in the new store.
func (s *site) live(user string) []session.Info {
	s.t.Helper()
	infos, err := s.manager.List(s.t.Context(), user)
	if err != nil {
		s.t.Fatal(err)
	}
	return infos
}

// reply is what an application answered.
type reply struct {
	status int
	text   string
	header http.Header
	set    []*http.Cookie
}

// issued is the new cookie's value, or "" if the reply sets none.
func (r reply) issued() string {
	for _, c := range r.set {
		if c.Name == newCookie {
			return c.Value
		}
	}
	return ""
}

// ask has a handler answer a request that shows cookies.
func ask(app http.Handler, method, path string, cookies []*http.Cookie, header ...string) reply {
	r := httptest.NewRequest(method, "https://shop.example"+path, nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	got := w.Result()
	return reply{w.Code, w.Body.String(), got.Header, got.Cookies()}
}

func want(t *testing.T, got reply, status int, text string) {
	t.Helper()
	if got.status != status || !strings.Contains(got.text, text) {
		t.Errorf("%d %q, want %d %q", got.status, got.text, status, text)
	}
}

// untouched fails if the answer says anything of a cookie.
func untouched(t *testing.T, got reply) {
	t.Helper()
	if len(got.set) > 0 {
		t.Errorf("set cookies: %v", got.header["Set-Cookie"])
	}
}

// browser keeps cookies, over TLS: the new one is what it is in production.
type browser struct {
	t    *testing.T
	http *http.Client
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, &http.Client{Jar: jar, Timeout: 20 * time.Second}}
}

// serve gives an application a server of its own, on one host with the others.
func (b *browser) serve(app http.Handler) (address string) {
	b.t.Helper()
	server := httptest.NewTLSServer(app)
	b.t.Cleanup(server.Close)
	b.http.Transport = server.Client().Transport // all have the same certificate
	return server.URL
}

func (b *browser) do(method, address string) reply {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	res, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return reply{res.StatusCode, string(text), res.Header, res.Cookies()}
}

func (b *browser) cookies(address string) map[string]string {
	b.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	all := make(map[string]string)
	for _, c := range b.http.Jar.Cookies(u) {
		all[c.Name] = c.Value
	}
	return all
}

// store counts notes, and fails on demand.
type store struct {
	session.Store
	notes     atomic.Int64 // created
	noteBytes atomic.Int64 // of the last one
	create    func(key string, create func() error) error

	mu   sync.Mutex
	seen map[string]bool // all keys and values
}

func (s *store) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	s.mu.Lock()
	if s.seen == nil {
		s.seen = make(map[string]bool)
	}
	s.seen[key], s.seen[string(value)] = true, true
	s.mu.Unlock()
	create := func() error { return errors.Join(ctx.Err(), s.Store.Create(ctx, key, value, ttl)) }
	if !isNote(key) {
		return create()
	}
	s.notes.Add(1)
	s.noteBytes.Store(int64(len(key) + len(value)))
	if s.create != nil {
		return s.create(key, create)
	}
	return create()
}

func isNote(key string) bool { return strings.Contains(key, ":migrated:") }

// all is everything that was ever stored under a new key.
func (s *store) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(slices.Collect(maps.Keys(s.seen)), "\n")
}

func inMemory() *store { return &store{Store: new(memory.Store)} }

func inMemcached(t *testing.T) *store {
	t.Helper()
	return overMemcached(t, memcachedtest.Start(t).Addr())
}

func overMemcached(t *testing.T, addr string) *store {
	t.Helper()
	m, err := memcached.New(memcached.Config{Nodes: []string{addr}, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return &store{Store: m}
}

// events is what the manager reported.
type events struct {
	mu  sync.Mutex
	all []session.Event
}

func (e *events) observe(_ context.Context, event session.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, event)
}

func (e *events) list() []session.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.all)
}

func (e *events) has(kind session.Kind, reason string) bool {
	return slices.ContainsFunc(e.list(), func(event session.Event) bool {
		return event.Kind == kind && event.Reason == reason
	})
}
