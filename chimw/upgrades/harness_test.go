package upgrades_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
	"github.com/coatcheck/coatcheck/tokens"
)

const (
	owner session.Key[string] = "owner"
	count session.Key[int]    = "count"
)

// store counts what it is asked.
type store struct {
	session.Store
	reads, writes atomic.Int64
}

func (s *store) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	s.reads.Add(1)
	return s.Store.Get(ctx, key)
}

func (s *store) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	s.writes.Add(1)
	return s.Store.Create(ctx, key, value, ttl)
}

func (s *store) Update(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
	s.writes.Add(1)
	return s.Store.Update(ctx, key, value, version, ttl)
}

// complaints is the server's log.
type complaints struct {
	mu   sync.Mutex
	text strings.Builder
}

func (c *complaints) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(b)
}

// site is a server, with the settings for production but for its store.
type site struct {
	t       *testing.T
	store   *store
	manager *session.Manager
	mw      *chimw.Middleware
	url     string
	server  *httptest.Server
	log     complaints
	serving sync.RWMutex // held for reading by each request, until all of it is over

	mu     sync.Mutex
	events []session.Event
}

// newSite makes one without a server: listen starts that.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, store: &store{Store: new(memory.Store)}}
	signer, err := tokens.NewSigner(tokens.Config{Issuer: "test", Keys: []tokens.Key{tokens.GenerateKey()}})
	if err == nil {
		s.manager, err = session.NewManager(session.Config{Store: s.store, Observe: s.observe})
	}
	if err == nil {
		s.mw, err = chimw.New(chimw.Config{Manager: s.manager, Tokens: signer})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) observe(_ context.Context, e session.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
}

// dropped returns why changes were lost.
func (s *site) dropped() (reasons []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Kind == session.Dropped {
			reasons = append(reasons, fmt.Sprintf("%s: %v", e.Reason, e.Err))
		}
	}
	return reasons
}

// listen serves the handler until the test is over, and fails the test if the
// server then has anything to complain about.
func (s *site) listen(protocol string, handler http.Handler, settings ...func(*http.Server)) {
	s.t.Helper()
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serving.RLock()
		defer s.serving.RUnlock()
		handler.ServeHTTP(w, r)
	}))
	s.server.Config.ErrorLog = log.New(&s.log, "", 0)
	s.server.EnableHTTP2 = protocol == "HTTP/2"
	for _, set := range settings {
		set(s.server.Config)
	}
	if protocol == "http" { // without TLS, whose handshake a server's WriteTimeout limits too
		s.server.Start()
	} else {
		s.server.StartTLS()
	}
	s.url = s.server.URL
	s.t.Cleanup(func() {
		s.settle()
		s.server.Close()
		s.log.mu.Lock()
		defer s.log.mu.Unlock()
		if s.log.text.Len() > 0 {
			s.t.Errorf("the server's log: %s", s.log.text.String())
		}
	})
}

// settle waits until every request is over, the middleware's part included.
func (s *site) settle() {
	s.serving.Lock()
	defer s.serving.Unlock()
}

// client is a browser with a cookie jar, or an API client with a header.
type client struct {
	t      *testing.T
	site   *site
	http   *http.Client
	header http.Header
}

func (s *site) browser() *client {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &client{s.t, s, &http.Client{Transport: s.server.Client().Transport, Jar: jar, Timeout: await.Limit}, http.Header{}}
}

// visitor is a browser that has a session already.
func (s *site) visitor(who string) *client {
	s.t.Helper()
	c := s.browser()
	c.get("/put?who=" + who)
	return c
}

// api is a client with a token for a session of its own.
func (s *site) api(who string) *client {
	s.t.Helper()
	own := s.manager.New()
	owner.Put(own, who)
	tok, err := s.mw.IssueToken(s.t.Context(), own)
	if err != nil {
		s.t.Fatal(err)
	}
	h := http.Header{"X-Auth-Token": {tok.Reveal()}}
	return &client{s.t, s, &http.Client{Transport: s.server.Client().Transport, Timeout: await.Limit}, h}
}

func (c *client) open(path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.site.url+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header = c.header.Clone()
	return c.http.Do(req)
}

// get returns what a page says, once its request is over.
func (c *client) get(path string) string {
	c.t.Helper()
	res, err := c.open(path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b)
}

// wantOwner asks the server whose session this client has.
func (c *client) wantOwner(want string) {
	c.t.Helper()
	if got := c.get("/who"); got != want {
		c.t.Errorf("the client's next request has %q's session, want %q's", got, want)
	}
}

// pages are what all sites have, beside their long connections.
func pages(mux interface {
	Handle(pattern string, h http.Handler)
}) {
	page := func(path string, do func(s *session.Session, r *http.Request) string) {
		mux.Handle(path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, do(session.FromContext(r.Context()), r))
		}))
	}
	page("/who", func(s *session.Session, _ *http.Request) string { who, _ := owner.Get(s); return who })
	page("/put", func(s *session.Session, r *http.Request) string { owner.Put(s, r.FormValue("who")); return "" })
	page("/count", func(s *session.Session, _ *http.Request) string { n, _ := count.Get(s); return fmt.Sprint(n) })
	page("/inc", func(s *session.Session, _ *http.Request) string { return fmt.Sprint(count.Update(s, increment)) })
	page("/login", func(s *session.Session, _ *http.Request) string { s.SetSubject("alice"); return "" })
	page("/logout", func(s *session.Session, _ *http.Request) string { s.Destroy(); return "" })
}

func increment(n int) int { return n + 1 }
