package upgrades_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/session"
)

// greeting upgrades the connection, after what do does to the session, and says
// whose session the handshake had.
func greeting(lib library, do func(s *session.Session)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		do(s)
		c, err := lib.accept(w, r)
		if err != nil {
			return // the library has answered
		}
		defer c.close()
		who, _ := owner.Get(s)
		c.say("hello " + who)
		c.hear() // nothing, until the client closes
	}
}

func nothing(*session.Session) {}

// handshake opens a websocket, hears the greeting and closes it.
func (c *client) handshake(lib library, path string) (*http.Response, string) {
	c.t.Helper()
	ws, res, err := lib.dial(c, path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer c.site.settle() // after the close
	defer ws.close()
	said, err := ws.hear()
	if err != nil {
		c.t.Fatal(err)
	}
	return res, said
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	for name, wire := range wirings {
		for _, lib := range libraries {
			t.Run(lib.name+" by "+name, func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				s.listen("HTTP/1.1", wire(s, handlers{
					"/ws":       greeting(lib, nothing),
					"/ws/put":   greeting(lib, func(s *session.Session) { owner.Put(s, "a newcomer") }),
					"/ws/renew": greeting(lib, (*session.Session).Renew),
				}))
				testHandshakes(t, s, lib)
			})
		}
	}
}

func testHandshakes(t *testing.T, s *site, lib library) {
	for _, dialer := range libraries {
		t.Run("with a cookie, from "+dialer.name, func(t *testing.T) {
			res, said := s.visitor("me").handshake(dialer, "/ws")
			if said != "hello me" {
				t.Errorf("the server says %q", said)
			}
			if got := res.Header["Set-Cookie"]; len(got) > 0 {
				t.Errorf("Set-Cookie is %q, want none", got)
			}
			if vary := strings.Join(res.Header["Vary"], ", "); vary != "Cookie, X-Auth-Token, Authorization" {
				t.Errorf("K1 Vary is %q", vary)
			}
		})
		t.Run("with a token, from "+dialer.name, func(t *testing.T) {
			if _, said := s.api("robot").handshake(dialer, "/ws"); said != "hello robot" {
				t.Errorf("the server says %q", said)
			}
		})
	}
	t.Run("C13 a session that begins with the handshake reaches the browser", func(t *testing.T) {
		b := s.browser()
		writes := s.store.writes.Load()
		res, said := b.handshake(lib, "/ws/put")
		if said != "hello a newcomer" {
			t.Errorf("the server says %q", said)
		}
		if got := res.Header["Set-Cookie"]; len(got) != 1 || !strings.HasPrefix(got[0], "__Host-session=") {
			t.Errorf("Set-Cookie is %q, want one", got)
		}
		if got := res.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("K2 Cache-Control is %q", got)
		}
		if n := s.store.writes.Load() - writes; n != 1 {
			t.Errorf("%d writes, want one: at the handshake, and none at return", n)
		}
		b.wantOwner("a newcomer")
	})
	t.Run("S5 C13 a session renewed by the handshake reaches the browser", func(t *testing.T) {
		b := s.visitor("me")
		b.handshake(lib, "/ws/renew")
		b.wantOwner("me")
	})
	t.Run("S5 a session renewed by the handshake reaches the API client", func(t *testing.T) {
		c := s.api("robot")
		res, _ := c.handshake(lib, "/ws/renew")
		if got := c.get("/who"); strings.Contains(got, "robot") {
			t.Error("the old token still opens the session")
		}
		c.header.Set("X-Auth-Token", res.Header.Get("X-Auth-Token"))
		c.wantOwner("robot")
	})
	if got := s.dropped(); len(got) > 0 {
		t.Errorf("changes were lost: %q", got)
	}
}

// TestForeignHandshake is about what no browser's same-origin policy keeps from
// happening: a page of another site opens a websocket here, cookies included.
func TestForeignHandshake(t *testing.T) {
	t.Parallel()
	for _, lib := range libraries {
		t.Run(lib.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.listen("HTTP/1.1", wirings["chi"](s, handlers{"/ws": greeting(lib, nothing)}))
			for name, headers := range map[string]http.Header{
				"by Origin":         {"Origin": {"https://evil.example"}},
				"by Sec-Fetch-Site": {"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}},
				"by a sandbox":      {"Origin": {"null"}},
				"by a sibling":      {"Origin": {"https://sub.127.0.0.1"}, "Sec-Fetch-Site": {"same-site"}},
			} {
				t.Run("X2 refused "+name+" before anything is loaded", func(t *testing.T) {
					b := s.visitor("me")
					b.header = headers
					calls := s.store.reads.Load() + s.store.writes.Load()
					ws, res, err := lib.dial(b, "/ws")
					if err == nil {
						ws.close()
						t.Fatal("the handshake succeeded")
					}
					if res == nil || res.StatusCode != http.StatusForbidden {
						t.Fatalf("%v, want 403: %v", res, err)
					}
					if n := s.store.reads.Load() + s.store.writes.Load() - calls; n != 0 {
						t.Errorf("%d store calls", n)
					}
				})
			}
			t.Run("X2 an anonymous one too", func(t *testing.T) {
				b := s.browser()
				b.header = http.Header{"Origin": {"https://evil.example"}}
				if ws, _, err := lib.dial(b, "/ws"); err == nil {
					ws.close()
					t.Error("the handshake succeeded")
				}
			})
			t.Run("X2 with a token in the header it is not judged", func(t *testing.T) {
				c := s.api("robot")
				c.header.Set("Origin", "https://evil.example")
				c.header.Set("Sec-Fetch-Site", "cross-site")
				if _, said := c.handshake(lib, "/ws"); said != "hello robot" {
					t.Errorf("the server says %q", said)
				}
			})
			t.Run("from the same origin it is served", func(t *testing.T) {
				b := s.visitor("me")
				b.header = http.Header{"Origin": {s.url}, "Sec-Fetch-Site": {"same-origin"}}
				if _, said := b.handshake(lib, "/ws"); said != "hello me" {
					t.Errorf("the server says %q", said)
				}
			})
		})
	}
}

// TestGorillaResponseHeader shows what gorilla's users have to know: only what
// they pass as the response's header is sent, and the cookie is written into
// w.Header() while the connection is hijacked, after they have passed it.
func TestGorillaResponseHeader(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header func(w http.ResponseWriter) http.Header
		want   string
	}{
		"w.Header() itself carries the cookie":  {func(w http.ResponseWriter) http.Header { return w.Header() }, "a newcomer"},
		"nil loses it":                          {func(http.ResponseWriter) http.Header { return nil }, ""},
		"a copy, made before the hijack, loses": {func(w http.ResponseWriter) http.Header { return w.Header().Clone() }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			lib := library{"gorilla", func(w http.ResponseWriter, r *http.Request) (conn, error) {
				return upgradeGorilla(w, r, c.header(w))
			}, dialGorilla}
			s.listen("HTTP/1.1", wirings["chi"](s, handlers{
				"/ws": greeting(lib, func(s *session.Session) { owner.Put(s, "a newcomer") }),
			}))
			b := s.browser()
			b.handshake(lib, "/ws")
			b.wantOwner(c.want)
		})
	}
}

// TestHandshakeThatCannotCommit has the session end between the handler's start
// and the hijack: the client has to hear of it, and the handler too.
func TestHandshakeThatCannotCommit(t *testing.T) {
	t.Parallel()
	for name, wire := range wirings {
		for _, lib := range libraries {
			t.Run("S8 "+lib.name+" by "+name, func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				accepted := make(chan error, 1)
				s.listen("HTTP/1.1", wire(s, handlers{"/ws": func(w http.ResponseWriter, r *http.Request) {
					own := session.FromContext(r.Context())
					elsewhere, err := s.manager.Load(r.Context(), own.Credential())
					if err == nil {
						elsewhere.Destroy()
						err = elsewhere.Commit(r.Context())
					}
					if err != nil {
						t.Error(err)
					}
					owner.Put(own, "too late")
					c, err := lib.accept(w, r)
					if err == nil {
						c.close()
					}
					accepted <- err
				}}))
				b := s.visitor("me")
				ws, res, err := lib.dial(b, "/ws")
				if err == nil {
					ws.close()
					t.Fatal("the handshake succeeded")
				}
				if res == nil || res.StatusCode != http.StatusConflict || res.Header.Get("Content-Type") != "application/problem+json" {
					t.Errorf("the client hears %v", res)
				}
				if err := <-accepted; err == nil {
					t.Error("the handler was given a connection")
				}
				if got := res.Header["Set-Cookie"]; len(got) > 0 {
					t.Errorf("Set-Cookie is %q", got)
				}
			})
		}
	}
}
