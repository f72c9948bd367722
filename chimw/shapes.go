package chimw

import (
	"bufio"
	"net"
	"net/http"
)

// These shapes offer what the writer beneath offers, and no more: a type
// assertion must not promise what isn't there.
type (
	flusher  struct{ w *writer }
	hijacker struct{ w *writer }
	pusher   struct{ w *writer }
)

func (f flusher) Flush() { _ = f.w.FlushError() }

func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) { return h.w.hijack() }

func (p pusher) Push(target string, opts *http.PushOptions) error {
	return p.w.ResponseWriter.(http.Pusher).Push(target, opts)
}

type http1 struct {
	*writer
	flusher
	hijacker
}

type http2 struct {
	*writer
	flusher
	pusher
}

// shaped returns the writer for the handler. The server's own shapes cost no
// memory of their own.
func (w *writer) shaped() http.ResponseWriter {
	_, f := w.ResponseWriter.(http.Flusher)
	_, h := w.ResponseWriter.(http.Hijacker)
	_, p := w.ResponseWriter.(http.Pusher)
	switch {
	case f && h && !p:
		w.http1 = http1{w, flusher{w}, hijacker{w}}
		return &w.http1
	case f && p && !h:
		w.http2 = http2{w, flusher{w}, pusher{w}}
		return &w.http2
	case f && h && p:
		return struct {
			*writer
			flusher
			hijacker
			pusher
		}{w, flusher{w}, hijacker{w}, pusher{w}}
	case f:
		return struct {
			*writer
			flusher
		}{w, flusher{w}}
	case h && p:
		return struct {
			*writer
			hijacker
			pusher
		}{w, hijacker{w}, pusher{w}}
	case h:
		return struct {
			*writer
			hijacker
		}{w, hijacker{w}}
	case p:
		return struct {
			*writer
			pusher
		}{w, pusher{w}}
	default:
		return w
	}
}
