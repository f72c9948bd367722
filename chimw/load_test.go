package chimw_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/tokens"
)

const (
	loadRequests = 10000
	loadWorkers  = 64
	leakPatience = 20 * time.Second // bounds a wait that is over at once if nothing leaks
)

// load is a server and what is asked of it.
type load struct {
	*house
	url      string
	http     *http.Client
	requests atomic.Int64
	shared   atomic.Int64 // increments of one session by everybody
}

// describe tells a client whose session it was given, to the last detail.
func (l *load) describe(r *http.Request) string {
	s := session.FromContext(r.Context())
	who, _ := owner.Get(s)
	n, _ := count.Get(s)
	return description(who, s.Subject(), n, l.mw.Carrier(r.Context()))
}

func description(owner, subject string, n int, by chimw.Carrier) string {
	return fmt.Sprintf("owner %q, subject %q, count %d, by %s", owner, subject, n, by)
}

func (l *load) pages() http.Handler {
	m := http.NewServeMux()
	page := func(path string, do func(s *session.Session, r *http.Request)) {
		m.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			do(session.FromContext(r.Context()), r)
			io.WriteString(w, l.describe(r))
		})
	}
	page("/look", func(*session.Session, *http.Request) {})
	page("/begin", func(s *session.Session, r *http.Request) { owner.Put(s, r.URL.Query().Get("who")) })
	page("/increment", func(s *session.Session, _ *http.Request) { count.Update(s, func(n int) int { return n + 1 }) })
	page("/renew", func(s *session.Session, _ *http.Request) { s.Renew() })
	page("/login", func(s *session.Session, r *http.Request) { s.SetSubject(r.URL.Query().Get("who")) })
	page("/logout", func(s *session.Session, _ *http.Request) { s.Destroy() })
	m.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		owner.Put(s, r.URL.Query().Get("who"))
		tok, err := l.mw.IssueToken(r.Context(), s)
		if err != nil {
			l.mw.Error(w, r, err)
			return
		}
		io.WriteString(w, tok.Reveal())
	})
	return m
}

// loadClient shows its session by one carrier, and knows what is in it.
type loadClient struct {
	*load
	kind    string
	name    string
	shown   string // cookie or token; "" before it has one
	began   bool
	subject string
	count   int
}

func (c *loadClient) external() bool { return c.kind == "external" }

// post asks for a page, showing what the client has.
func (c *loadClient) post(path, shown string) (*http.Response, string, error) {
	c.requests.Add(1)
	var body io.Reader
	if c.kind == "body" && shown != "" {
		body = strings.NewReader(`{"token":"` + shown + `"}`)
	}
	req, err := http.NewRequest("POST", c.url+path+"?who="+c.name, body)
	if err != nil {
		return nil, "", err
	}
	switch {
	case shown == "":
	case c.kind == "cookie":
		req.Header.Set("Cookie", "session="+shown)
	case c.kind == "bearer":
		req.Header.Set("Authorization", "Bearer "+shown)
	case c.kind == "body":
		req.Header.Set("Content-Type", "application/json")
	default:
		req.Header.Set("X-Auth-Token", shown)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res, string(text), err
}

// carrier is what the server should see.
func (c *loadClient) carrier() chimw.Carrier {
	switch {
	case c.shown == "":
		return chimw.None
	case c.kind == "cookie":
		return chimw.Cookie
	case c.kind == "body":
		return chimw.Body
	default:
		return chimw.Header
	}
}

// expect asks for a page and wants the answer to be about this client's session.
func (c *loadClient) expect(path string) error {
	res, got, err := c.post(path, c.shown)
	if err != nil {
		return err
	}
	want := description("", "", 0, c.carrier())
	if c.began {
		want = description(c.name, c.subject, c.count, c.carrier())
	}
	if res.StatusCode != 200 || got != want {
		return fmt.Errorf("%s %s: %d %s, want %s", c.kind, path, res.StatusCode, got, want)
	}
	return c.keep(path, res)
}

// keep takes what the response gives the client from now on, if it should.
func (c *loadClient) keep(path string, res *http.Response) error {
	given := res.Header.Get("X-Auth-Token")
	if c.kind == "cookie" {
		given, _, _ = strings.Cut(strings.TrimPrefix(res.Header.Get("Set-Cookie"), "session="), ";")
	} else if len(cookies(res)) > 0 {
		return fmt.Errorf("%s %s: a token's client was given the cookie %q", c.kind, path, cookies(res))
	}
	begins := path == "/begin" && c.kind == "cookie"
	renews := (path == "/renew" || path == "/login") && !c.external()
	if (given != "") != (begins || renews) || given == c.shown && given != "" {
		return fmt.Errorf("%s %s: the response gives %q", c.kind, path, given)
	}
	if given != "" {
		c.shown = given
	}
	return nil
}

// step does one thing that the client can do now, at random.
func (c *loadClient) step(random *rand.Rand) error {
	if !c.began {
		return c.begin()
	}
	switch n := random.IntN(20); {
	case n < 8:
		return c.expect("/look")
	case n < 14:
		c.count++
		return c.expect("/increment")
	case n < 16:
		return c.replacing("/renew")
	case n < 18 && c.subject == "":
		c.subject = c.name
		return c.replacing("/login")
	case n < 18:
		return c.forged()
	default:
		return c.logout()
	}
}

func (c *loadClient) begin() error {
	c.began, c.subject, c.count = true, "", 0
	if c.kind == "cookie" || c.external() {
		return c.expect("/begin")
	}
	res, token, err := c.post("/token", "")
	if err == nil && res.StatusCode != 200 {
		err = fmt.Errorf("%s: no token: %d %s", c.kind, res.StatusCode, token)
	}
	c.shown = token
	return err
}

// replacing does what gives the client something new, and kills the old one.
func (c *loadClient) replacing(path string) error {
	old := c.shown
	if err := c.expect(path); err != nil || c.external() {
		return err
	}
	return c.dead(old)
}

// dead wants a credential to open nothing.
func (c *loadClient) dead(shown string) error {
	res, got, err := c.post("/look", shown)
	switch {
	case err != nil:
		return err
	case c.kind == "cookie" && got == description("", "", 0, chimw.None) && len(cookies(res)) == 0:
		return nil
	case c.kind != "cookie" && res.StatusCode == 401:
		return nil
	}
	return fmt.Errorf("%s: what is dead or forged is answered with %d %s", c.kind, res.StatusCode, got)
}

func (c *loadClient) forged() error {
	if c.external() {
		return c.dead("no " + c.shown) // any other name would be another client's
	}
	return c.dead(flip(c.shown))
}

func (c *loadClient) logout() error {
	c.began = false
	old := c.shown
	res, got, err := c.post("/logout", old)
	if want := description("", "", 0, c.carrier()); err != nil || res.StatusCode != 200 || got != want {
		return fmt.Errorf("%s: logout: %s, %v", c.kind, got, err)
	}
	if c.external() {
		return c.expect("/look") // an empty session, as before the first use
	}
	c.shown = ""
	if err := c.dead(old); err != nil {
		return err
	}
	return c.expect("/look") // anonymous
}

func newLoad(t *testing.T) *load {
	external, err := tokens.NewExternal(tokens.ExternalConfig{
		Key: tokens.GenerateKey(),
		Verify: func(_ context.Context, token string) (string, bool, error) {
			name, ok := strings.CutPrefix(token, "key of ")
			return name, ok, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	l := &load{}
	l.house = build(t, func(m *session.Config, c *chimw.Config) {
		c.External, c.BodyField = external, "token"
	})
	return l
}

// TestLoad is everything at once: each worker has clients of every kind, all of
// them log in and out, are renewed and forge, and check in every response that
// the session is their own. It runs by itself, since it counts goroutines.
func TestLoad(t *testing.T) {
	before := runtime.NumGoroutine()
	l := newLoad(t)
	srv := httptest.NewServer(l.mw.Handler(l.pages()))
	transport := srv.Client().Transport.(*http.Transport)
	transport.MaxIdleConnsPerHost = loadWorkers
	l.url, l.http = srv.URL, srv.Client()
	everybodys, _ := l.token("everybody")

	var workers sync.WaitGroup
	for i := range loadWorkers {
		workers.Go(func() {
			if err := l.work(i, everybodys); err != nil {
				t.Errorf("worker %d: %v", i, err)
			}
		})
	}
	workers.Wait()
	transport.CloseIdleConnections()
	srv.Close()

	t.Run("S17 everybody's increments of one session are all there", func(t *testing.T) {
		res := l.serve(l.pages().ServeHTTP, request("POST", "", header(everybodys)))
		wantStatus(t, res, 404) // the session was loaded: a bad token gives 401
		r := request("POST", "", header(everybodys))
		r.URL.Path = "/look"
		want := description("everybody", "", int(l.shared.Load()), chimw.Header)
		if got := body(t, l.serve(l.pages().ServeHTTP, r)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
	t.Run("nothing was lost", func(t *testing.T) {
		for _, e := range l.events {
			switch e.Kind {
			case session.Dropped, session.Unreadable, session.StoreFailed, session.Expired:
				t.Errorf("%s %s: %v", e.Kind, e.Reason, e.Err)
			}
		}
	})
	t.Logf("%d requests, %d of them increments of one session", l.requests.Load(), l.shared.Load())
	wantGoroutines(t, before)
}

// work lets one worker's clients take turns.
func (l *load) work(worker int, everybodys string) error {
	random := rand.New(rand.NewPCG(1, uint64(worker)))
	all := &loadClient{load: l, kind: "header", name: "everybody", shown: everybodys}
	nobody := &loadClient{load: l, kind: "anonymous"}
	var clients []*loadClient
	for _, kind := range []string{"cookie", "header", "bearer", "body", "external"} {
		c := &loadClient{load: l, kind: kind, name: fmt.Sprintf("%s-%d", kind, worker)}
		if c.external() {
			c.shown = "key of " + c.name
		}
		clients = append(clients, c)
	}
	for l.requests.Load() < loadRequests {
		var err error
		switch n := random.IntN(2 + 4*len(clients)); n {
		case 0:
			err = nobody.expect("/look")
		case 1:
			l.shared.Add(1)
			_, text, perr := all.post("/increment", all.shown)
			if err = perr; err == nil && !strings.HasPrefix(text, `owner "everybody", subject "", count `) {
				err = fmt.Errorf("everybody's session: %s", text)
			}
		default:
			err = clients[n%len(clients)].step(random)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// wantGoroutines waits for as few goroutines as there were.
func wantGoroutines(t *testing.T, before int) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(leakPatience); runtime.NumGoroutine() > before; <-tick.C {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
