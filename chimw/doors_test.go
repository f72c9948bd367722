package chimw_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
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
func unwrapped(next http.Handler) http.Handler { return next }

func wrapped(next http.Handler, wrap func(http.ResponseWriter) http.ResponseWriter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(wrap(w), r) })
}

func byChi(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(middleware.NewWrapResponseWriter(w, r.ProtoMajor), r)
	})
}

// start serves a handler over real sockets, by HTTP/1.1 or HTTP/2.
func start(t *testing.T, protocol string, handler http.Handler) (url string, client *http.Client) {
	t.Helper()
	srv := httptest.NewUnstartedServer(handler)
	srv.EnableHTTP2 = protocol == "HTTP/2"
	if srv.EnableHTTP2 {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	client = srv.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return srv.URL, client
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

func TestHijack(t *testing.T) {
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

func TestShapes(t *testing.T) {
	t.Parallel()
	offers := func(w http.ResponseWriter) string {
		var b strings.Builder
		if _, ok := w.(http.Flusher); ok {
			b.WriteString("F")
		}
		if _, ok := w.(http.Hijacker); ok {
			b.WriteString("H")
		}
		if _, ok := w.(http.Pusher); ok {
			b.WriteString("P")
		}
		return b.String()
	}
	for want, outer := range map[string]http.ResponseWriter{
		"": struct{ http.ResponseWriter }{},
		"F": struct {
			http.ResponseWriter
			http.Flusher
		}{},
		"H": struct {
			http.ResponseWriter
			http.Hijacker
		}{},
		"P": struct {
			http.ResponseWriter
			http.Pusher
		}{},
		"FH": struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
		}{},
		"FP": struct {
			http.ResponseWriter
			http.Flusher
			http.Pusher
		}{},
		"HP": struct {
			http.ResponseWriter
			http.Hijacker
			http.Pusher
		}{},
		"FHP": struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			http.Pusher
		}{},
	} {
		t.Run("offers "+want, func(t *testing.T) {
			t.Parallel()
			got := "nothing ran"
			rec := httptest.NewRecorder()
			wrap := func(w http.ResponseWriter) http.ResponseWriter { return withRecorder(outer, rec) }
			wrapped(build(t).mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { got = offers(w) })), wrap).
				ServeHTTP(rec, request("GET", ""))
			if got != want {
				t.Errorf("the handler's writer offers %q, the server's %q", got, want)
			}
		})
	}
}

// withRecorder gives a shape something to write to.
func withRecorder(shape http.ResponseWriter, rec *httptest.ResponseRecorder) http.ResponseWriter {
	f, h, p := rec, hijackable{}, pushable{}
	switch shape.(type) {
	case struct{ http.ResponseWriter }:
		return struct{ http.ResponseWriter }{rec}
	case struct {
		http.ResponseWriter
		http.Flusher
	}:
		return struct {
			http.ResponseWriter
			http.Flusher
		}{rec, f}
	case struct {
		http.ResponseWriter
		http.Hijacker
	}:
		return struct {
			http.ResponseWriter
			http.Hijacker
		}{rec, h}
	case struct {
		http.ResponseWriter
		http.Pusher
	}:
		return struct {
			http.ResponseWriter
			http.Pusher
		}{rec, p}
	case struct {
		http.ResponseWriter
		http.Flusher
		http.Hijacker
	}:
		return struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
		}{rec, f, h}
	case struct {
		http.ResponseWriter
		http.Flusher
		http.Pusher
	}:
		return struct {
			http.ResponseWriter
			http.Flusher
			http.Pusher
		}{rec, f, p}
	case struct {
		http.ResponseWriter
		http.Hijacker
		http.Pusher
	}:
		return struct {
			http.ResponseWriter
			http.Hijacker
			http.Pusher
		}{rec, h, p}
	default:
		return struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			http.Pusher
		}{rec, f, h, p}
	}
}

type hijackable struct{}

func (hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, http.ErrNotSupported
}

type pushable struct{}

func (pushable) Push(string, *http.PushOptions) error { return http.ErrNotSupported }

func TestPanics(t *testing.T) {
	t.Parallel()
	crash := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		owner.Put(session.FromContext(r.Context()), "me")
		panic("the handler's")
	})
	t.Run("C13 K1 a recoverer outside: nothing is committed, Vary stays", func(t *testing.T) {
		t.Parallel()
		h := build(t)
		rec := httptest.NewRecorder()
		recoverer(h.mw.Handler(crash)).ServeHTTP(rec, request("POST", ""))
		res := rec.Result()
		wantStatus(t, res, 500)
		wantNoCookie(t, res)
		wantHeader(t, res, "Vary", "Cookie, X-Auth-Token, Authorization")
		if n := h.store.writes.Load(); n != 0 {
			t.Errorf("%d writes", n)
		}
	})
	t.Run("C13 a recoverer inside: an answer like any other", func(t *testing.T) {
		t.Parallel()
		h := build(t)
		rec := httptest.NewRecorder()
		h.mw.Handler(recoverer(crash)).ServeHTTP(rec, request("POST", ""))
		wantStatus(t, rec.Result(), 500)
		given(t, rec.Result())
	})
}

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

func TestLateChanges(t *testing.T) {
	t.Parallel()
	late := func(f func(s *session.Session)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "begun")
			f(session.FromContext(r.Context()))
		}
	}
	for name, c := range map[string]struct {
		do       func(s *session.Session)
		cookie   bool
		reported bool
		owner    string // afterwards, by the same cookie
	}{
		"a value":         {func(s *session.Session) { owner.Put(s, "later") }, true, false, "later"},
		"a first value":   {func(s *session.Session) { owner.Put(s, "later") }, false, true, ""},
		"nothing at all":  {func(s *session.Session) { owner.Delete(s) }, false, false, ""},
		"renewal":         {(*session.Session).Renew, true, true, "me"},
		"login":           {func(s *session.Session) { s.SetSubject("alice") }, true, true, "me"},
		"destroy":         {(*session.Session).Destroy, true, false, ""},
		"destroy and put": {func(s *session.Session) { s.Destroy(); owner.Put(s, "later") }, true, true, ""},
		"own commit": {func(s *session.Session) {
			s.Renew()
			_ = s.Commit(t.Context())
		}, true, true, ""},
	} {
		t.Run("S19 late "+name, func(t *testing.T) {
			t.Parallel()
			h := build(t)
			cookie := cookieOf(h.session("me"))
			sent := []string{}
			if c.cookie {
				sent = append(sent, cookie)
			} else {
				cookie = "Cookie: x=y"
			}
			res := h.serve(late(c.do), request("POST", "", sent...))
			wantStatus(t, res, 200)
			wantNoCookie(t, res)
			if got := h.reported(session.Dropped, "late change"); got != c.reported {
				t.Errorf("reported: %v, want %v", got, c.reported)
			}
			if got := body(t, h.serve(who, request("GET", "", cookie))); got != c.owner {
				t.Errorf("the session is %q's, want %q", got, c.owner)
			}
		})
	}
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
