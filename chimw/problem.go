package chimw

import (
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/coatcheck/coatcheck/session"
)

// retryAfter is what a 503 asks for, in seconds.
const retryAfter = 2

// A Problem is why a request was refused, or why its changes were not
// committed. It marshals as an RFC 9457 problem document, which holds nothing
// of the request and nothing internal: a token that was forged, revoked or
// never known gives the same one.
//
// It needs a Status; without a Title it is given its status's. It can be copied,
// and must not be changed once it was handed over.
type Problem struct { //nolint:errname // RFC 9457's word for it
	Status int    `json:"status"` // 400 to 599
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`

	// Code is the RFC 6750 error code of the challenge, "" for none.
	Code string `json:"-"`

	// Err is the cause, for logs. It is never shown to the client.
	Err error `json:"-"`
}

// Error says what the client is told, and the cause.
func (p *Problem) Error() string {
	if p == nil {
		return "chimw: a nil Problem"
	}
	if p.Err == nil {
		return "chimw: " + p.Title
	}
	return "chimw: " + p.Title + ": " + p.Err.Error()
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error {
	if p == nil {
		return nil
	}
	return p.Err
}

func newProblem(status int, err error) *Problem {
	p := &Problem{Status: status, Title: http.StatusText(status), Err: err}
	switch status {
	case http.StatusBadRequest:
		p.Detail = "The body could not be read."
		if errors.Is(err, errNotJSON) {
			p.Detail = "The body is said to be JSON, and is not."
		}
	case http.StatusUnauthorized:
		p.Detail = "A session is required."
		if errors.Is(err, errInvalidToken) {
			p.Code, p.Detail = codeInvalidToken, "The token is not valid."
		}
	case http.StatusForbidden:
		p.Detail = "The session may not do this."
	case http.StatusConflict:
		p.Detail = "The session ended, or was renewed, while the request was being served."
	case http.StatusRequestEntityTooLarge:
		p.Detail = "The body is too large to be searched for a token. Show the token in a header."
	case http.StatusServiceUnavailable:
		p.Detail = "Sessions are not available at the moment."
	}
	return p
}

// problemOf is what a session's error means to a client.
func problemOf(err error) *Problem {
	var p *Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, session.ErrUnavailable):
		return newProblem(http.StatusServiceUnavailable, err)
	case errors.Is(err, session.ErrGone):
		return newProblem(http.StatusConflict, err)
	case errors.Is(err, session.ErrNotFound):
		return newProblem(http.StatusNotFound, err)
	case isAny(err, ErrCookieOnly, ErrExternal):
		return newProblem(http.StatusForbidden, err)
	default:
		return newProblem(http.StatusInternalServerError, err)
	}
}

// Error answers a request with what an error of this library means:
// session.ErrUnavailable 503, session.ErrGone 409, session.ErrNotFound (of
// Revoke, for example) 404, ErrCookieOnly and ErrExternal 403, a *Problem itself,
// anything else 500, such as session.ErrTooLarge, session.ErrLate and
// ErrForeign. It goes through Config.ErrorHandler, once: if the session still
// has changes that can't be committed, they are dropped and reported. A handler
// returns after it.
func (mw *Middleware) Error(w http.ResponseWriter, r *http.Request, err error) {
	if !mw.ready() {
		WriteProblem(w, r, newProblem(http.StatusInternalServerError, errNotMade))
		return
	}
	mw.refuse(w, r, problemOf(err))
}

// refuse answers with a problem, through w.
func (mw *Middleware) refuse(w http.ResponseWriter, r *http.Request, p *Problem) {
	p = p.filled()
	if x := mw.exchange(r.Context()); x != nil {
		x.mu.Lock()
		x.refused = p
		x.mu.Unlock()
	}
	h := w.Header()
	for _, name := range []string{"Content-Encoding", "Content-Length", "Content-Range", "Etag", "Last-Modified"} {
		delete(h, name) // of the answer that this one replaces
	}
	room := &[3]string{1: "no-store"} // for all of them: a refusal should cost little
	mw.appendVary(h, (*[1]string)(room[0:1]))
	h["Cache-Control"] = room[1:2:2]
	dropSharedCaching(h)
	if p.Status == http.StatusUnauthorized || p.Code != "" {
		room[2] = mw.challenge(p.Code)
		h["Www-Authenticate"] = room[2:3:3]
	}
	if p.Status == http.StatusServiceUnavailable {
		h["Retry-After"] = []string{strconv.Itoa(retryAfter)}
	}
	mw.cfg.ErrorHandler(w, r, p)
}

// disown takes back what the handler said.
func (x *exchange) disown(h http.Header) {
	for name := range h {
		if !strings.HasPrefix(name, "Access-Control-") && name != "Strict-Transport-Security" {
			delete(h, name)
		}
	}
	maps.Copy(h, x.outside)
}

// filled is the problem with what it lacks.
func (p *Problem) filled() *Problem {
	if p == nil || p.Status < 400 || p.Status > 599 {
		return newProblem(http.StatusInternalServerError, p)
	}
	if p.Title != "" {
		return p
	}
	filled := *p
	filled.Title = http.StatusText(p.Status)
	return &filled
}

// challenge has a realm, for a challenge needs a parameter (RFC 9110 11.6.1),
// and a code unless no credentials were shown (RFC 6750 3.1).
func (mw *Middleware) challenge(code string) string {
	switch code {
	case "":
		return mw.bearer
	case codeInvalidToken:
		return mw.invalidToken
	default:
		return withCode(mw.bearer, code)
	}
}

const codeInvalidToken = "invalid_token"

func withCode(bearer, code string) string { return bearer + `, error="` + code + `"` }

// replace answers instead of the handler, whose commit failed. What the handler
// said of its own response goes, cookies and instructions to a proxy included:
// they may speak of what was not committed. What the middlewares outside had said
// stays, and what browsers need to be shown the error.
func (x *exchange) replace(w http.ResponseWriter, r *http.Request, err error) {
	x.disown(w.Header())
	handled := false
	defer func() {
		if !handled { // ErrorHandler panics: what recovers that must not let it pass for a success
			w.WriteHeader(http.StatusInternalServerError)
		}
	}()
	p := problemOf(err)
	if p.Status == http.StatusInternalServerError {
		x.reportDropped(r.Context(), reasonCommit, err)
	}
	x.mw.refuse(w, r, p)
	handled = true
}

// WriteProblem writes a problem document: what Config.ErrorHandler does when it
// is nil. The cause of a 500, of which the client learns nothing, is logged.
func WriteProblem(w http.ResponseWriter, r *http.Request, p *Problem) {
	if p.Status == http.StatusInternalServerError {
		slog.ErrorContext(r.Context(), "chimw: internal error", "error", p.Err)
	}
	h := w.Header()
	types := &[2]string{"application/problem+json", "nosniff"}
	h["Content-Type"], h["X-Content-Type-Options"] = types[0:1:1], types[1:2:2]
	w.WriteHeader(p.Status)
	if r.Method == http.MethodHead {
		return
	}
	body, ok := p.appendJSON(make([]byte, 0, 160))
	if !ok {
		body, _ = json.Marshal(p)
	}
	_, _ = w.Write(append(body, '\n')) //nolint:gosec // JSON, and nosniff; and a client that is gone is told nothing
}

// appendJSON is what json.Marshal makes of a problem whose texts need no escapes,
// as those of this package: who sends forgeries in bulk should cost little.
func (p *Problem) appendJSON(b []byte) ([]byte, bool) {
	if !plain(p.Title) || !plain(p.Detail) {
		return nil, false
	}
	b = strconv.AppendInt(append(b, `{"status":`...), int64(p.Status), 10)
	b = append(append(b, `,"title":"`...), p.Title...)
	if p.Detail != "" {
		b = append(append(b, `","detail":"`...), p.Detail...)
	}
	return append(b, `"}`...), true
}

// plain reports whether JSON has no escapes for a text.
func plain(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ', c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return false
		}
	}
	return true
}

// tells reports whether the client learns by this problem that changes were not
// committed because of err.
func (p *Problem) tells(err error) bool {
	for _, cause := range []error{session.ErrUnavailable, session.ErrGone} {
		if errors.Is(p, cause) && errors.Is(err, cause) {
			return true
		}
	}
	return false
}
