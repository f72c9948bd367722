package chimw_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"github.com/coatcheck/coatcheck/session"
)

// doors are the ways in which a handler can begin its response.
var doors = map[string]struct {
	status int
	open   func(t *testing.T, w http.ResponseWriter, r *http.Request)
}{
	"return":      {200, func(*testing.T, http.ResponseWriter, *http.Request) {}},
	"Write":       {200, func(_ *testing.T, w http.ResponseWriter, _ *http.Request) { w.Write([]byte("body")) }},
	"WriteString": {200, func(_ *testing.T, w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "body") }},
	"WriteHeader": {201, func(_ *testing.T, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201) }},
	"an error":    {500, func(_ *testing.T, w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) }},
	"early hints, then an answer": {200, func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		io.WriteString(w, "body")
	}},
	"Flush": {200, func(_ *testing.T, w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush() }},
	"FlushError": {200, func(t *testing.T, w http.ResponseWriter, _ *http.Request) {
		if err := w.(interface{ FlushError() error }).FlushError(); err != nil {
			t.Error(err)
		}
	}},
	"a controller's Flush": {200, func(t *testing.T, w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	}},
	"ReadFrom": {200, func(t *testing.T, w http.ResponseWriter, _ *http.Request) {
		if n, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader("body")); n != 4 || err != nil {
			t.Error(n, err)
		}
	}},
	"io.Copy": {200, func(t *testing.T, w http.ResponseWriter, _ *http.Request) {
		if _, err := io.Copy(w, io.LimitReader(strings.NewReader("body and more"), 4)); err != nil {
			t.Error(err)
		}
	}},
	"ServeContent with a range": {206, func(_ *testing.T, w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Range", "bytes=2-3")
		http.ServeContent(w, r, "x.txt", time.Time{}, bytes.NewReader([]byte("a body")))
	}},
	"not modified": {304, func(_ *testing.T, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }},
	"no content":   {204, func(_ *testing.T, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }},
	"redirect":     {303, func(_ *testing.T, w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/next", 303) }},
	"unwrapped by another middleware": {200, func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w.(interface{ Unwrap() http.ResponseWriter }).Unwrap(), "body")
	}},
	"deadlines, then Write": {200, func(t *testing.T, w http.ResponseWriter, _ *http.Request) {
		c := http.NewResponseController(w)
		if err := errors.Join(c.SetReadDeadline(time.Now().Add(time.Minute)), c.SetWriteDeadline(time.Now().Add(time.Minute))); err != nil {
			t.Error(err)
		}
		io.WriteString(w, "body")
	}},
}

// bare offers what net/http demands, and the rest by Unwrap only.
type bare struct{ w http.ResponseWriter }

func (b bare) Header() http.Header         { return b.w.Header() }
func (b bare) Write(p []byte) (int, error) { return b.w.Write(p) }
func (b bare) WriteHeader(status int)      { b.w.WriteHeader(status) }
func (b bare) Unwrap() http.ResponseWriter { return b.w }

func barely(next http.Handler) http.Handler {
	return wrapped(next, func(w http.ResponseWriter) http.ResponseWriter { return bare{w} })
}

func byChi(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(middleware.NewWrapResponseWriter(w, r.ProtoMajor), r)
	})
}

func TestDoors(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2"} {
		for outer, wrap := range map[string]func(http.Handler) http.Handler{"the server's writer": unwrapped, "chi's": byChi, "only Unwrap": barely} {
			for door, d := range doors {
				if outer == "only Unwrap" && door == "Flush" {
					continue // there is no such door then
				}
				t.Run("C13 K1 "+door+" over "+protocol+" and "+outer, func(t *testing.T) {
					t.Parallel()
					throughDoor(t, protocol, wrap, d.status, d.open)
				})
			}
		}
	}
}

func throughDoor(t *testing.T, protocol string, outer func(http.Handler) http.Handler, status int, open func(*testing.T, http.ResponseWriter, *http.Request)) {
	h := build(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/who", who)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		owner.Put(s, "me")
		w.Header().Set("Vary", "Accept")
		open(t, w, r)
		if s.Stored() { // it began: what comes now is late, but not lost
			owner.Put(s, "me, later")
		}
	})
	url, client := start(t, protocol, outer(h.mw.Handler(mux)))
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	wantStatus(t, res, status)
	if got := strings.Join(res.Header["Vary"], ", "); got != "Accept, Cookie, X-Auth-Token, Authorization" {
		t.Errorf("Vary is %q", got)
	}
	pair, _, _ := strings.Cut(given(t, res), ";")
	req, _ := http.NewRequest("GET", url+"/who", nil)
	req.Header.Set("Cookie", strings.TrimPrefix(pair, "Cookie: "))
	again, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Body.Close()
	if got := body(t, again); !strings.HasPrefix(got, "me") {
		t.Errorf("the session is %q's", got)
	}
}

func TestHijackCommitsFirst(t *testing.T) {
	t.Parallel()
	for outer, wrap := range map[string]func(http.Handler) http.Handler{"the server's writer": unwrapped, "only Unwrap": barely} {
		t.Run(outer, func(t *testing.T) {
			t.Parallel()
			h := build(t)
			url, client := start(t, "HTTP/1.1", wrap(h.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				owner.Put(session.FromContext(r.Context()), "me")
				conn, rw, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				answer(rw, w.Header())
			}))))
			res, err := client.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			wantStatus(t, res, 101)
			given(t, res)
		})
	}
}

func answer(rw *bufio.ReadWriter, h http.Header) {
	io.WriteString(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: test\r\n")
	h.Write(rw)
	io.WriteString(rw, "\r\n")
	rw.Flush()
}

func TestNoHijackAfterAFailedCommit(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.store.fail(everything)
	url, client := start(t, "HTTP/1.1", h.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		owner.Put(session.FromContext(r.Context()), "me")
		for range 2 {
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				conn.Close()
				t.Error("the connection was given away")
			}
		}
		if err := http.NewResponseController(w).Flush(); err == nil {
			t.Error("the discarded response was flushed")
		}
		if _, err := io.Copy(w, strings.NewReader("x")); err == nil {
			t.Error("the discarded body was taken")
		}
		if _, err := io.WriteString(w, "x"); err == nil {
			t.Error("the discarded body was taken")
		}
		owner.Put(session.FromContext(r.Context()), "again") // nothing is tried twice
	})))
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	wantStatus(t, res, 503)
	if h.reported(session.Dropped, "late change") {
		t.Error("the failed commit was made again")
	}
}

func TestSwitchingProtocolsIsTheResponse(t *testing.T) {
	t.Parallel()
	h := build(t)
	t.Run("C13 101 commits", func(t *testing.T) {
		rec := httptest.NewRecorder()
		h.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			owner.Put(session.FromContext(r.Context()), "me")
			w.WriteHeader(http.StatusSwitchingProtocols)
			if h.store.writes.Load() != 1 || len(w.Header()["Set-Cookie"]) != 1 {
				t.Error("101 went out uncommitted")
			}
		})).ServeHTTP(rec, request("GET", ""))
	})
}

func TestC13InformationalResponsesAreNotTheResponse(t *testing.T) {
	t.Parallel()
	h := build(t)
	url, client := start(t, "HTTP/1.1", h.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		owner.Put(session.FromContext(r.Context()), "early")
		w.WriteHeader(http.StatusEarlyHints)
		owner.Put(session.FromContext(r.Context()), "me") // in time: nothing was committed yet
		w.WriteHeader(http.StatusProcessing)
		w.WriteHeader(http.StatusCreated)
	})))
	var early []string
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
		early = append(early, header["Set-Cookie"]...)
		return nil
	}}
	req, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "GET", url, nil)
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	wantStatus(t, res, 201)
	given(t, res)
	if len(early) > 0 || h.store.writes.Load() != 1 {
		t.Errorf("%d commits, and %q before the response", h.store.writes.Load(), early)
	}
}

func unwrapped(next http.Handler) http.Handler { return next }

func wrapped(next http.Handler, wrap func(http.ResponseWriter) http.ResponseWriter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(wrap(w), r) })
}
