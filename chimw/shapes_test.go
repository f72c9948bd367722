package chimw_test

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// offers says in letters what a writer can do besides writing.
func offers(w http.ResponseWriter) string {
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

type (
	flusher  = http.Flusher
	hijacker = http.Hijacker
	pusher   = http.Pusher
	writer   = http.ResponseWriter
)

// shapes are the writers that a server may have, by what they offer.
func shapes(w *httptest.ResponseRecorder) map[string]http.ResponseWriter {
	h, p := hijackable{}, pushable{}
	return map[string]http.ResponseWriter{
		"": struct{ writer }{w},
		"F": struct {
			writer
			flusher
		}{w, w},
		"H": struct {
			writer
			hijacker
		}{w, h},
		"P": struct {
			writer
			pusher
		}{w, p},
		"FH": struct {
			writer
			flusher
			hijacker
		}{w, w, h},
		"FP": struct {
			writer
			flusher
			pusher
		}{w, w, p},
		"HP": struct {
			writer
			hijacker
			pusher
		}{w, h, p},
		"FHP": struct {
			writer
			flusher
			hijacker
			pusher
		}{w, w, h, p},
	}
}

func TestWriterOffersWhatTheServersDoes(t *testing.T) {
	t.Parallel()
	for want := range shapes(nil) {
		t.Run("offers "+want, func(t *testing.T) {
			t.Parallel()
			got := "nothing ran"
			handler := build(t).mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { got = offers(w) }))
			handler.ServeHTTP(shapes(httptest.NewRecorder())[want], request("GET", ""))
			if got != want {
				t.Errorf("the handler's writer offers %q, the server's %q", got, want)
			}
		})
	}
}

type hijackable struct{}

func (hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, http.ErrNotSupported
}

type pushable struct{}

func (pushable) Push(string, *http.PushOptions) error { return http.ErrNotSupported }

func TestWhatTheServerCannotDoIsSaid(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := w.(http.Pusher).Push("/style.css", nil); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("error is %v", err)
		}
		if err := http.NewResponseController(w).EnableFullDuplex(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("error is %v", err)
		}
	})).ServeHTTP(shapes(httptest.NewRecorder())["P"], request("GET", ""))
}
