package chimw

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// writer commits the session before the first byte goes out, by whichever door.
// Flusher, Hijacker and Pusher, where there are any, are in shapes.go.
type writer struct {
	http.ResponseWriter
	x       *exchange
	r       *http.Request
	begun   bool  // the session was committed and the response begins
	failed  error // why the handler's response was replaced
	dropped bool  // what could not be committed is lost, beside an error

	http1 http1
	http2 http2
}

// begin commits before the first byte. It reports whether the handler's
// response may go out.
func (w *writer) begin() bool {
	first, err := w.commitOnce()
	if first && err != nil {
		w.x.replace(w.ResponseWriter, w.r, err)
	}
	return err == nil
}

// commitOnce reports whether it was the one that committed, and what came of
// that then.
func (w *writer) commitOnce() (first bool, err error) {
	x := w.x
	x.mu.Lock()
	defer x.mu.Unlock()
	if w.begun {
		return false, w.failed
	}
	w.begun, w.failed = true, errPanicked // if it panics, what recovers that must not report success
	defer func() {
		if errors.Is(w.failed, errPanicked) {
			x.disown(w.Header())
			w.ResponseWriter.WriteHeader(http.StatusInternalServerError)
		}
	}()
	err = x.commit(w.r.Context(), w.Header())
	if err != nil && x.refused != nil { // an error is on its way: the client needs no other
		if w.dropped = true; !x.refused.tells(err) {
			x.reportDropped(w.r.Context(), reasonAfterError, err)
		}
		err = nil
	}
	w.failed = err
	return true, err
}

var errPanicked = errors.New("chimw: the commit panicked")

// finish is for the time after the handler has returned.
func (w *writer) finish() {
	if first, err := w.commitOnce(); first {
		if err != nil {
			w.x.replace(w.ResponseWriter, w.r, err)
		}
		return
	}
	if w.failed == nil && !w.dropped || w.x.session.Destroyed() { // a Destroy holds, whatever failed before it
		w.x.commitLate(w.r.Context())
	}
}

func (w *writer) discarded() error {
	return fmt.Errorf("chimw: the response was replaced by an error: %w", w.failed)
}

// WriteHeader lets informational responses pass: they are not the response.
func (w *writer) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols || w.begin() {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *writer) Write(b []byte) (int, error) {
	if !w.begin() {
		return 0, w.discarded()
	}
	return w.ResponseWriter.Write(b)
}

func (w *writer) WriteString(s string) (int, error) {
	if !w.begin() {
		return 0, w.discarded()
	}
	return io.WriteString(w.ResponseWriter, s)
}

// ReadFrom keeps the server's way to send files without copying them.
func (w *writer) ReadFrom(src io.Reader) (int64, error) {
	if !w.begin() {
		return 0, w.discarded()
	}
	return io.Copy(w.ResponseWriter, src)
}

// FlushError is what http.ResponseController looks for first.
func (w *writer) FlushError() error {
	if !w.begin() {
		return w.discarded()
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap is how http.ResponseController finds what the server offers. It
// finds a writer that commits as well, never the one beneath.
func (w *writer) Unwrap() http.ResponseWriter { return &controlled{w} }

// controlled offers by way of http.ResponseController what the writer beneath
// may offer by that way only.
type controlled struct{ *writer }

func (c *controlled) Unwrap() {} // ends the search: everything there is to find is here

func (c *controlled) Hijack() (net.Conn, *bufio.ReadWriter, error) { return c.hijack() }

func (c *controlled) SetReadDeadline(t time.Time) error  { return c.rc().SetReadDeadline(t) }
func (c *controlled) SetWriteDeadline(t time.Time) error { return c.rc().SetWriteDeadline(t) }
func (c *controlled) EnableFullDuplex() error            { return c.rc().EnableFullDuplex() }

func (w *writer) rc() *http.ResponseController { return http.NewResponseController(w.ResponseWriter) }

// hijack commits, since the handler will write a response of its own, and puts
// our headers where it can find them.
func (w *writer) hijack() (net.Conn, *bufio.ReadWriter, error) {
	if !w.begin() {
		return nil, nil, w.discarded()
	}
	return w.rc().Hijack()
}
