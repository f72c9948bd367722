package chimw_test

import (
	"bufio"
	"net"
	"net/http"
	"testing"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

// What the middleware may cost, in allocations.
const (
	anonymousAllocs = 3
	cookieAllocs    = 12
	tokenAllocs     = 17
	refusalAllocs   = 5
)

// response is what a server of HTTP/1.1 offers, and costs nothing by itself.
type response struct {
	header http.Header
	status int
	bytes  int
}

func (w *response) Header() http.Header         { return w.header }
func (w *response) WriteHeader(status int)      { w.status = status }
func (w *response) Write(b []byte) (int, error) { w.bytes += len(b); return len(b), nil }
func (w *response) Flush()                      {}
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, http.ErrNotSupported
}

var (
	plainText = []string{"text/plain"}
	ok        = []byte("ok")
)

// greet answers like any handler: with a header and a few bytes.
func greet(w http.ResponseWriter, _ *http.Request) {
	w.Header()["Content-Type"] = plainText
	w.Write(ok)
}

// read answers with what is in the session.
func read(w http.ResponseWriter, r *http.Request) {
	if v, _ := owner.Get(session.FromContext(r.Context())); v == "" {
		w.WriteHeader(http.StatusUnauthorized)
	}
	greet(w, r)
}

// answerTo has a handler answer a request as a server would: with a fresh header.
func answerTo(h http.Handler, r *http.Request) *response {
	w := &response{header: make(http.Header), status: http.StatusOK}
	h.ServeHTTP(w, r)
	return w
}

// costs are the allocations of a request, checked to be answered as it should.
func costs(t *testing.T, h http.Handler, r *http.Request) float64 {
	t.Helper()
	return testing.AllocsPerRun(1000, func() {
		if w := answerTo(h, r); w.status != http.StatusOK || w.bytes != len(ok) {
			t.Errorf("status %d, %d bytes", w.status, w.bytes)
		}
	})
}

// A refusal costs less than what it refuses.
func TestAllocationsOfARefusal(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	h := build(t, func(m *session.Config, _ *chimw.Config) { m.Observe = unseen })
	tok, _ := h.token("client")
	without := costs(t, http.HandlerFunc(greet), request("GET", ""))
	handler, r := h.mw.Handler(http.HandlerFunc(greet)), request("GET", "", header(flip(tok)))
	with := testing.AllocsPerRun(1000, func() {
		if w := answerTo(handler, r); w.status != http.StatusUnauthorized {
			t.Errorf("status %d", w.status)
		}
	})
	if more := with - without; more > refusalAllocs {
		t.Errorf("%v allocations more than a request without the middleware, want at most %v", more, refusalAllocs)
	} else {
		t.Logf("%v allocations more than a request without the middleware", more)
	}
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	h := build(t)
	tok, _ := h.token("client")
	without := costs(t, http.HandlerFunc(greet), request("GET", ""))
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		shown   string
		most    float64
	}{
		"anonymous":         {greet, "X: y", anonymousAllocs},
		"by a cookie":       {read, cookieOf(h.session("me")), cookieAllocs},
		"by a signed token": {read, header(tok), tokenAllocs},
	} {
		t.Run(name, func(t *testing.T) {
			with := costs(t, h.mw.Handler(c.handler), request("GET", "", c.shown))
			if more := with - without; more > c.most {
				t.Errorf("%v allocations more than without the middleware, want at most %v", more, c.most)
			} else {
				t.Logf("%v allocations more than without the middleware", more)
			}
		})
	}
}
