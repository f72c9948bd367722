package migrating

import (
	"bytes"
	"maps"
	"net/http"
)

// answer keeps a response instead of sending it.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newAnswer() *answer { return &answer{header: make(http.Header)} }

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// refusedError is what the middleware answered instead of making a session.
type refusedError struct{ answer *answer }

func (*refusedError) Error() string { return "migrating: the new session was refused" }

func (e *refusedError) send(w http.ResponseWriter) {
	for _, name := range []string{"Set-Cookie", "Clear-Site-Data"} { // of a session that nobody was told of
		e.answer.header.Del(name)
	}
	maps.Copy(w.Header(), e.answer.header)
	w.WriteHeader(e.answer.status)
	_, _ = w.Write(e.answer.body.Bytes()) // whoever asked may have gone
}
