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

func TestPush(t *testing.T) {
	t.Parallel()
	h := build(t)
	rec := httptest.NewRecorder()
	wrapped(h.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := w.(http.Pusher).Push("/style.css", nil); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("error is %v", err)
		}
		if err := http.NewResponseController(w).EnableFullDuplex(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("error is %v", err)
		}
	})), func(http.ResponseWriter) http.ResponseWriter {
		return struct {
			http.ResponseWriter
			http.Pusher
		}{rec, pushable{}}
	}).ServeHTTP(rec, request("GET", ""))
}
