package chimw_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
	"github.com/coatcheck/coatcheck/tokens"
)

const (
	owner session.Key[string] = "owner" // whose session it is: checked wherever one is shown
	count session.Key[int]    = "count"
)

var errDown = errors.New("the store is down")

// store counts calls and fails them on demand.
type store struct {
	session.Store
	reads, writes atomic.Int64
	mu            sync.Mutex
	down          func(op, key string) bool
}

func (s *store) call(n *atomic.Int64, op, key string) error {
	n.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down != nil && s.down(op, key) {
		return errDown
	}
	return nil
}

// fail makes the calls fail for which down says so; nil: none.
func (s *store) fail(down func(op, key string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func everything(string, string) bool { return true }

func writes(op, _ string) bool { return op != "get" }

func (s *store) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	if err := s.call(&s.reads, "get", key); err != nil {
		return nil, 0, err
	}
	return s.Store.Get(ctx, key)
}

func (s *store) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := s.call(&s.writes, "create", key); err != nil {
		return err
	}
	if len(value) > maxValue {
		return session.ErrTooLarge
	}
	return s.Store.Create(ctx, key, value, ttl)
}

func (s *store) Update(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
	if err := s.call(&s.writes, "update", key); err != nil {
		return err
	}
	if len(value) > maxValue {
		return session.ErrTooLarge
	}
	return s.Store.Update(ctx, key, value, version, ttl)
}

const maxValue = 10000

func (s *store) MaxValueBytes(string) int { return maxValue }

// house is a manager, a signer and a middleware over one store.
type house struct {
	t       testing.TB
	store   *store
	manager *session.Manager
	signer  *tokens.Signer
	mw      *chimw.Middleware

	mu     sync.Mutex
	events []session.Event
}

// option changes what a house is built with.
type option func(*session.Config, *chimw.Config)

func build(t testing.TB, options ...option) *house {
	t.Helper()
	h := &house{t: t, store: &store{Store: new(memory.Store)}}
	signer, err := tokens.NewSigner(tokens.Config{Issuer: "test", Keys: []tokens.Key{tokens.GenerateKey()}})
	if err != nil {
		t.Fatal(err)
	}
	h.signer = signer
	mc := session.Config{Store: h.store, Observe: h.observe}
	wc := chimw.Config{Tokens: signer, InsecureCookie: true}
	for _, o := range options {
		o(&mc, &wc)
	}
	if h.manager, err = session.NewManager(mc); err != nil {
		t.Fatal(err)
	}
	wc.Manager = h.manager
	if h.mw, err = chimw.New(wc); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) observe(_ context.Context, e session.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

func (h *house) reported(kind session.Kind, reason string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events {
		if e.Kind == kind && e.Reason == reason {
			return true
		}
	}
	return false
}

// session stores a session of somebody's.
func (h *house) session(who string) *session.Session {
	h.t.Helper()
	s := h.manager.New()
	owner.Put(s, who)
	if err := s.Commit(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	return s
}

// token stores a session of somebody's and returns a token for it.
func (h *house) token(who string) (string, *session.Session) {
	h.t.Helper()
	s := h.manager.New()
	owner.Put(s, who)
	tok, err := h.mw.IssueToken(h.t.Context(), s)
	if err != nil {
		h.t.Fatal(err)
	}
	return tok.Reveal(), s
}

// issue answers with a token for the request's session, which nobody is to cache.
func (h *house) issue(w http.ResponseWriter, r *http.Request) {
	tok, err := h.mw.IssueToken(r.Context(), session.FromContext(r.Context()))
	if err != nil {
		h.mw.Error(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=600")
	io.WriteString(w, tok.Reveal())
}

// signedIn stores a session of a subject's, and returns its cookie.
func (h *house) signedIn(subject, fingerprint string) string {
	h.t.Helper()
	s := h.manager.New()
	s.SetSubject(subject)
	s.SetFingerprint(fingerprint)
	if err := s.Commit(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	return cookieOf(s)
}

// request makes a request; each header is a line "Name: value".
func request(method, body string, headers ...string) *http.Request {
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req := httptest.NewRequest(method, "/", r)
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Add(name, value)
	}
	return req
}

// serve lets a handler answer a request behind the middleware.
func (h *house) serve(handler http.HandlerFunc, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.mw.Handler(handler).ServeHTTP(w, r)
	return w.Result()
}

func cookieOf(s *session.Session) string { return "Cookie: session=" + s.Credential().Reveal() }

func header(token string) string { return "X-Auth-Token: " + token }

// who answers whose session the request has.
func who(w http.ResponseWriter, r *http.Request) {
	v, _ := owner.Get(session.FromContext(r.Context()))
	io.WriteString(w, v)
}

func body(t testing.TB, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// cookies returns what a response says about session cookies.
func cookies(res *http.Response) []string { return res.Header["Set-Cookie"] }

func wantStatus(t testing.TB, res *http.Response, want int) {
	t.Helper()
	if res.StatusCode != want {
		t.Errorf("status is %d, want %d", res.StatusCode, want)
	}
}

func wantHeader(t testing.TB, res *http.Response, name, want string) {
	t.Helper()
	if got := res.Header.Get(name); got != want {
		t.Errorf("%s is %q, want %q", name, got, want)
	}
}

func encodeID(id session.ID) string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// direct answers a request without the middleware.
func direct(handler http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Result()
}

// flip changes a token's signature.
func flip(token string) string {
	i := len(token) - 10
	c := byte('A')
	if token[i] == 'A' {
		c = 'B'
	}
	return token[:i] + string(c) + token[i+1:]
}

func newID(t *testing.T) session.ID {
	t.Helper()
	id, err := session.ParseID("7c1f1e36-5a2b-4c3d-9e8f-0a1b2c3d4e5f")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func sealed(m *session.Config, _ *chimw.Config) {
	m.SealKeys = []session.SealKey{session.GenerateSealKey()}
}

func opaque(_ *session.Config, c *chimw.Config) { c.Tokens = nil }

func recoverer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				w.WriteHeader(500)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

const cookieAttributes = "; Path=/; HttpOnly; SameSite=Lax"

// given returns the credential that a response sets, as a Cookie header.
func given(t testing.TB, res *http.Response) string {
	t.Helper()
	lines := cookies(res)
	if len(lines) != 1 {
		t.Fatalf("Set-Cookie is %q, want one", lines)
	}
	pair, attributes, _ := strings.Cut(lines[0], ";")
	if ";"+attributes != cookieAttributes || len(pair) != len("session=")+64 {
		t.Fatalf("Set-Cookie is %q", lines[0])
	}
	return "Cookie: " + pair
}

func wantExpired(t testing.TB, res *http.Response) {
	t.Helper()
	if got := cookies(res); len(got) != 1 || got[0] != "session="+cookieAttributes+"; Max-Age=0" {
		t.Errorf("C10 Set-Cookie is %q, want the cookie taken back", got)
	}
}

func wantNoCookie(t testing.TB, res *http.Response) {
	t.Helper()
	if got := cookies(res); len(got) > 0 {
		t.Errorf("Set-Cookie is %q, want none", got)
	}
}

func put(value string) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) { owner.Put(session.FromContext(r.Context()), value) }
}

func change(f func(s *session.Session)) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) { f(session.FromContext(r.Context())) }
}

var (
	renew   = change((*session.Session).Renew)
	destroy = change((*session.Session).Destroy)
	login   = change(func(s *session.Session) { s.SetSubject("alice") })
)
