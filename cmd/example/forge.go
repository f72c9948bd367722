package main

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"time"
	"unicode"
)

const (
	maxForgeBytes = 16 << 10
	forgeTimeout  = 5 * time.Second // for a turn, and again for a try
	forgePause    = 100 * time.Millisecond
)

// A getCounter tells how often the store was asked for something.
type getCounter interface {
	gets(ctx context.Context) (uint64, error)
}

// An outcome is what became of a token that somebody tried, and where the
// store's counter stood before and after. It is null where it could not be read.
type outcome struct {
	Status     int     `json:"status"`
	Challenge  string  `json:"www_authenticate"`
	Body       string  `json:"body"`
	GetsBefore *uint64 `json:"gets_before"`
	GetsAfter  *uint64 `json:"gets_after"`
}

// StatusText is for the page.
func (o *outcome) StatusText() string { return http.StatusText(o.Status) }

// Gets is how often the store was asked meanwhile, or -1 if that isn't known.
func (o *outcome) Gets() int64 {
	if o.GetsBefore == nil || o.GetsAfter == nil || *o.GetsAfter < *o.GetsBefore { // a node that began anew counts from 0
		return -1
	}
	return int64(*o.GetsAfter - *o.GetsBefore) //nolint:gosec // no counter gets that far
}

// forge shows a token to this very service, as any client could, and tells what
// it said and what that cost.
func (a *app) forge(w http.ResponseWriter, r *http.Request) {
	token, err := readForgery(w, r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	out, err := a.try(r, token)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Add("Vary", "Accept")
	if prefersHTML(r, "application/json") {
		a.showPage(w, r, http.StatusOK, page{Forgery: token, Outcome: out})
		return
	}
	writeJSON(w, http.StatusOK, out)
}

// try takes turns, for two would count each other's gets. A turn takes a while
// at least: each one asks all nodes for their counters, on new connections.
func (a *app) try(r *http.Request, token string) (*outcome, error) {
	wait, stop := context.WithTimeout(r.Context(), forgeTimeout)
	defer stop()
	select {
	case a.turn <- struct{}{}:
		defer time.AfterFunc(forgePause, func() { <-a.turn })
	case <-wait.Done():
		return nil, invalid(http.StatusTooManyRequests, "Too many are trying tokens at the moment. Try again.")
	}
	// Not of the request's context: that has its session in it.
	ctx, cancel := context.WithTimeout(context.Background(), forgeTimeout)
	defer cancel()
	defer context.AfterFunc(r.Context(), cancel)()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/session", http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set(a.header, token)
	before := a.gets(ctx)
	seen := recorder{header: make(http.Header)}
	a.handler.ServeHTTP(&seen, req)
	return &outcome{
		Status: seen.status, Challenge: seen.header.Get("WWW-Authenticate"), Body: strings.TrimSpace(seen.body.String()),
		GetsBefore: before, GetsAfter: a.gets(ctx),
	}, nil
}

// gets asks more than once: a busy node may not answer in time, and then there
// is nothing to show.
func (a *app) gets(ctx context.Context) *uint64 {
	var err error
	for range 3 {
		var n uint64
		if n, err = a.counter.gets(ctx); err == nil {
			return &n
		}
	}
	if ctx.Err() == nil { // somebody waits for them
		a.log.WarnContext(ctx, "the gets could not be counted", "error", err)
	}
	return nil
}

// A recorder keeps a response.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// readForgery returns the token that a form or a JSON object has. Its field is
// not the one in which a body shows the token of its own request.
func readForgery(w http.ResponseWriter, r *http.Request) (string, error) {
	text, err := readField(w, r, "forgery", maxForgeBytes)
	token := strings.TrimSpace(text)
	if err == nil && (token == "" || strings.ContainsFunc(token, unicode.IsControl)) {
		err = invalid(http.StatusBadRequest, "The field forgery must be one line, as a header can carry it.")
	}
	return token, err
}
