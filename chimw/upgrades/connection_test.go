package upgrades_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/coatcheck/coatcheck/session"
)

// conversation is a handler that does to the session what the client says, as
// long as the connection lives. "hang up" ends it.
func conversation(lib library) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := lib.accept(w, r)
		if err != nil {
			return
		}
		defer c.close()
		s := session.FromContext(r.Context())
		for {
			said, err := c.hear()
			if err != nil || said == "hang up" {
				return
			}
			c.say(obey(said, s, r))
		}
	}
}

func obey(said string, s *session.Session, r *http.Request) string {
	switch said {
	case "increment":
		count.Update(s, increment)
		return committed(s, r)
	case "commit":
		return committed(s, r)
	case "increment and leave it at that":
		count.Update(s, increment)
	case "renew":
		s.Renew()
	case "destroy":
		s.Destroy()
	case "panic":
		panic("asked for")
	}
	return "done"
}

func committed(s *session.Session, r *http.Request) string {
	err := s.Commit(r.Context())
	switch {
	case errors.Is(err, session.ErrGone):
		return "gone"
	case err != nil:
		return err.Error()
	}
	n, _ := count.Get(s)
	return fmt.Sprint(n)
}

// talk says something and wants an answer.
type talk struct{ say, want string }

// call opens a connection and returns how to talk, and how to end it.
func (c *client) call(lib library, path string) (func(...talk), func()) {
	c.t.Helper()
	ws, _, err := lib.dial(c, path)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(ws.close) // if the test fails before the end
	say := func(talks ...talk) {
		c.t.Helper()
		for _, turn := range talks {
			if err := ws.say(turn.say); err != nil {
				c.t.Fatal(err)
			}
			if turn.want == "" {
				continue
			}
			if got, err := ws.hear(); got != turn.want || err != nil {
				c.t.Fatalf("%s: the server says %q, want %q; %v", turn.say, got, turn.want, err)
			}
		}
	}
	return say, func() {
		c.t.Helper()
		say(talk{say: "hang up"})
		c.site.settle()
		ws.close()
	}
}

func TestLongConnection(t *testing.T) {
	t.Parallel()
	for name, wire := range wirings {
		for _, lib := range libraries {
			t.Run(lib.name+" by "+name, func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				s.listen("HTTP/1.1", wire(s, handlers{"/ws": conversation(lib)}))
				testChanges(t, s, lib)
				testEnds(t, s, lib)
			})
		}
	}
}

// wrote fails the test unless f causes so many writes.
func (s *site) wrote(t *testing.T, want int64, f func()) {
	t.Helper()
	before := s.store.writes.Load()
	f()
	if n := s.store.writes.Load() - before; n != want {
		t.Errorf("%d writes, want %d", n, want)
	}
}

func testChanges(t *testing.T, s *site, lib library) {
	t.Run("S17 it commits what it changes, over what others changed", func(t *testing.T) {
		b := s.visitor("me")
		say, end := b.call(lib, "/ws")
		s.wrote(t, 2, func() { say(talk{"increment", "1"}, talk{"increment", "2"}) })
		if got := b.get("/count"); got != "2" {
			t.Errorf("another request reads %s while the connection is open", got)
		}
		b.get("/inc")
		say(talk{"increment", "4"})
		s.wrote(t, 0, end) // everything was committed
		if got := b.get("/count"); got != "4" {
			t.Errorf("afterwards the count is %s", got)
		}
	})
	t.Run("what it leaves uncommitted is committed at return, once", func(t *testing.T) {
		b := s.visitor("me")
		say, end := b.call(lib, "/ws")
		s.wrote(t, 0, func() { say(talk{"increment and leave it at that", "done"}) })
		s.wrote(t, 1, end)
		if got := b.get("/count"); got != "1" {
			t.Errorf("afterwards the count is %s", got)
		}
	})
	t.Run("an API client's works the same", func(t *testing.T) {
		c := s.api("robot")
		say, end := c.call(lib, "/ws")
		s.wrote(t, 1, func() { say(talk{"increment", "1"}); end() })
		if got := c.get("/count"); got != "1" {
			t.Errorf("afterwards the count is %s", got)
		}
	})
	t.Run("one that changes nothing writes nothing", func(t *testing.T) {
		_, end := s.visitor("me").call(lib, "/ws")
		s.wrote(t, 0, end)
	})
}

func testEnds(t *testing.T, s *site, lib library) {
	for _, path := range []string{"/logout", "/login"} { // login renews the session
		t.Run("S8 after "+path+" elsewhere its commits are ErrGone", func(t *testing.T) {
			b := s.visitor("me")
			say, end := b.call(lib, "/ws")
			say(talk{"increment", "1"})
			b.get(path)
			s.wrote(t, 0, func() {
				say(talk{"increment", "gone"}, talk{"increment", "gone"}, talk{"increment and leave it at that", "done"})
				end()
			})
			if path == "/logout" {
				b.wantOwner("")
			} else {
				b.wantOwner("me")
			}
		})
	}
	t.Run("S7 it can end the session", func(t *testing.T) {
		b := s.visitor("me")
		say, end := b.call(lib, "/ws")
		s.wrote(t, 1, func() { say(talk{"destroy", "done"}); end() })
		b.wantOwner("")
	})
	t.Run("S19 a renewal that comes too late is reported, and nothing is lost", func(t *testing.T) {
		b := s.visitor("me")
		say, end := b.call(lib, "/ws")
		before := len(s.dropped())
		s.wrote(t, 0, func() { say(talk{"renew", "done"}); end() })
		if got := s.dropped(); len(got) != before+1 {
			t.Errorf("reported: %q", got)
		}
		b.wantOwner("me")
	})
}

func TestPanicAfterTheUpgrade(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"chi, Recoverer outside", "chi, Recoverer inside", "chi, all of them both ways"} {
		for _, lib := range libraries {
			t.Run(lib.name+" by "+name, func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				s.listen("HTTP/1.1", wirings[name](s, handlers{"/ws": conversation(lib)}))
				b := s.visitor("me")
				ws, _, err := lib.dial(b, "/ws")
				if err != nil {
					t.Fatal(err)
				}
				defer ws.close()
				ws.say("increment and leave it at that")
				ws.hear()
				ws.say("panic")
				if got, err := ws.hear(); err == nil {
					t.Errorf("the server says %q", got)
				}
				s.settle()
				want := map[bool]string{true: "0", false: "1"}[name == "chi, Recoverer outside"]
				if got := b.get("/count"); got != want {
					t.Errorf("afterwards the count is %s, want %s: a panic that reaches the middleware commits nothing", got, want)
				}
			})
		}
	}
}
