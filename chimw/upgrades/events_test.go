package upgrades_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session"
)

const events = 5

// eachProtocol runs a test by every wiring, over HTTP/1.1 and HTTP/2.
func eachProtocol(t *testing.T, test func(t *testing.T, protocol string, wire func(*site, handlers) http.Handler)) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2"} {
		for name, wire := range wirings {
			t.Run(protocol+" by "+name, func(t *testing.T) {
				t.Parallel()
				test(t, protocol, wire)
			})
		}
	}
}

// stream answers with events, each only after the client has received the one
// before: the test hangs if one is held back on its way.
func stream(t *testing.T, received <-chan int, before, after func(s *session.Session)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, rc := session.FromContext(r.Context()), http.NewResponseController(w)
		before(s)
		w.Header().Set("Content-Type", "text/event-stream")
		// Without this line chi's Compress, which doesn't see a Flush begin the
		// response, sends another status with the first event; this middleware
		// or none.
		w.WriteHeader(http.StatusOK)
		if err := rc.Flush(); err != nil {
			t.Error(err)
		}
		for i := range events {
			select {
			case got := <-received:
				if got != i {
					t.Errorf("the client has received %d events, want %d", got, i)
				}
			case <-r.Context().Done(): // the test has failed
				return
			}
			fmt.Fprintf(w, "data: %d\n\n", i)
			if err := rc.Flush(); err != nil {
				t.Error(err)
			}
		}
		select {
		case <-received:
		case <-r.Context().Done():
		}
		after(s)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, protocol string, wire func(*site, handlers) http.Handler) {
		s := newSite(t)
		received := make(chan int, 1)
		s.listen(protocol, wire(s, handlers{"/events": stream(t, received,
			func(s *session.Session) { owner.Put(s, "a newcomer") },
			func(s *session.Session) { count.Put(s, events) })}))
		b := s.browser()
		res, err := b.open("/events")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if got := fmt.Sprintf("HTTP/%d", res.ProtoMajor); !strings.HasPrefix(protocol, got) {
			t.Errorf("the response came by %s", got)
		}
		t.Run("C13 the first Flush commits, and sends the cookie", func(t *testing.T) {
			if got := res.Header["Set-Cookie"]; len(got) != 1 || !strings.HasPrefix(got[0], "__Host-session=") {
				t.Errorf("Set-Cookie is %q, want one", got)
			}
			if got := res.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("K2 Cache-Control is %q", got)
			}
			b.wantOwner("a newcomer") // before the first event
		})
		t.Run("events arrive one by one", func(t *testing.T) { receive(t, res.Body, received) })
		t.Run("what it changes after that is committed at return, once", func(t *testing.T) {
			s.wrote(t, 1, func() {
				received <- events
				io.Copy(io.Discard, res.Body)
				s.settle()
			})
			if got := b.get("/count"); got != fmt.Sprint(events) {
				t.Errorf("the count is %s, want %d", got, events)
			}
		})
		if got := s.dropped(); len(got) > 0 {
			t.Errorf("changes were lost: %q", got)
		}
	})
}

func receive(t *testing.T, body io.Reader, received chan<- int) {
	lines := bufio.NewScanner(body)
	for i := range events {
		received <- i
		if !lines.Scan() || lines.Text() != fmt.Sprintf("data: %d", i) || !lines.Scan() {
			t.Fatalf("event %d: %q, %v", i, lines.Text(), lines.Err())
		}
	}
}

// TestFlushAlone begins a response with nothing but a Flush, by the door that
// http.Flusher is and by that of a controller.
func TestFlushAlone(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, protocol string, wire func(*site, handlers) http.Handler) {
		s := newSite(t)
		release := make(chan struct{})
		page := func(flush func(w http.ResponseWriter)) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				owner.Put(session.FromContext(r.Context()), "a newcomer")
				flush(w)
				select {
				case <-release:
				case <-r.Context().Done(): // the test has failed
				}
			}
		}
		s.listen(protocol, wire(s, handlers{
			"/flusher":    page(func(w http.ResponseWriter) { w.(http.Flusher).Flush() }),
			"/controller": page(func(w http.ResponseWriter) { http.NewResponseController(w).Flush() }),
		}))
		for _, path := range []string{"/flusher", "/controller"} {
			b := s.browser()
			res, err := b.open(path)
			if err != nil {
				t.Fatal(err)
			}
			b.wantOwner("a newcomer") // while the handler is still busy
			release <- struct{}{}
			res.Body.Close()
		}
	})
}

// TestStreamThatCannotCommit: the client gets the error, and the handler too.
func TestStreamThatCannotCommit(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, protocol string, wire func(*site, handlers) http.Handler) {
		s := newSite(t)
		s.listen(protocol, wire(s, handlers{"/events": func(w http.ResponseWriter, r *http.Request) {
			session.Key[any]("unencodable").Put(session.FromContext(r.Context()), func() {})
			w.Header().Set("Content-Type", "text/event-stream")
			w.WriteHeader(http.StatusOK)
			if _, err := io.WriteString(w, "data: 1\n\n"); err == nil {
				t.Error("the event was taken without an error")
			}
			http.NewResponseController(w).Flush()
		}}))
		res, err := s.browser().open("/events")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusInternalServerError || strings.Contains(string(body), "data:") {
			t.Errorf("%d %s %v", res.StatusCode, body, err)
		}
		if got := res.Header.Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("Content-Type is %q", got)
		}
	})
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	past := time.Unix(1, 0)
	eachProtocol(t, func(t *testing.T, protocol string, wire func(*site, handlers) http.Handler) {
		s := newSite(t)
		failed := make(chan error, 1)
		s.listen(protocol, wire(s, handlers{
			"/write": func(w http.ResponseWriter, _ *http.Request) {
				rc := http.NewResponseController(w)
				if err := rc.SetWriteDeadline(past); err != nil {
					t.Error(err)
				}
				io.WriteString(w, "too late")
				rc.Flush() // its error doesn't get through chi's writers
			},
			"/read": func(w http.ResponseWriter, r *http.Request) {
				if err := http.NewResponseController(w).SetReadDeadline(past); err != nil {
					t.Error(err)
				}
				_, err := r.Body.Read(make([]byte, 1))
				failed <- err
				panic(http.ErrAbortHandler)
			},
		}))
		t.Run("a write deadline ends a stream", func(t *testing.T) {
			if res, err := s.browser().open("/write"); err == nil {
				res.Body.Close()
				t.Error("the client was answered")
			}
		})
		t.Run("a read deadline ends the reading of a body", func(t *testing.T) {
			never, end := io.Pipe()
			read := make(chan error, 1)
			go func() {
				defer end.Close() // the client goes on sending until then
				select {
				case err := <-failed:
					read <- err
				case <-time.After(await.Limit):
					read <- errors.New("none")
				}
			}()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/read", never)
			if err != nil {
				t.Fatal(err)
			}
			if res, err := s.browser().http.Do(req); err == nil {
				res.Body.Close()
				t.Error("the client was answered")
			}
			if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the body's error is %v", err)
			}
		})
	})
}

// TestWriteTimeout extends the deadline of a server whose own is over before
// any handler runs: how a stream lives on a server that limits all others.
func TestWriteTimeout(t *testing.T) {
	t.Parallel()
	for name, wire := range wirings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			received := make(chan int, 1)
			flow := stream(t, received, nothing, nothing)
			s.listen("http", wire(s, handlers{"/events": func(w http.ResponseWriter, r *http.Request) {
				if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(await.Limit)); err != nil {
					t.Error(err)
				}
				flow(w, r)
			}}), func(srv *http.Server) {
				srv.WriteTimeout = time.Nanosecond
			})
			res, err := s.browser().open("/events")
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			receive(t, res.Body, received)
			received <- events
		})
	}
}
