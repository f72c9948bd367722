package chimw

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// A Token is what an API client shows. It can be copied; its zero value is no
// token. It redacts itself in every fmt verb, in JSON and in slog; only Reveal
// shows it.
type Token struct {
	// A function: fmt prints what unexported fields point to, but calls nothing.
	t func() token
}

type token struct {
	text    string
	expires time.Time
}

func newToken(text string, expires time.Time) Token {
	return Token{func() token { return token{text, expires} }}
}

// Reveal returns the token as it is sent to the client. Keep it out of logs. It
// is empty for the zero Token.
func (t Token) Reveal() string {
	if t.t == nil {
		return ""
	}
	return t.t().text
}

// ExpiresAt returns when the token expires at the latest. It is dead before that
// if its session ends, by idling for example. It is zero for the zero Token.
func (t Token) ExpiresAt() time.Time {
	if t.t == nil {
		return time.Time{}
	}
	return t.t().expires
}

// Format writes a fixed text for every verb.
func (Token) Format(f fmt.State, _ rune) { io.WriteString(f, "chimw.Token[redacted]") }

// MarshalText returns a fixed text, for JSON and the like.
func (Token) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// LogValue returns a fixed text.
func (Token) LogValue() slog.Value { return slog.StringValue("[redacted]") }

var (
	// ErrCookieOnly is returned where a session's token would be the very
	// credential that its cookie keeps from scripts, because there is no
	// signer. Issue one for a session of its own.
	ErrCookieOnly = errors.New("chimw: the session is carried by a cookie, whose credential is no token")

	// ErrExternal is returned for a client that has its token from somebody else.
	ErrExternal = errors.New("chimw: the session belongs to an external token")

	// ErrForeign is returned for a session of another manager, or for none: a
	// token for it would open nothing.
	ErrForeign = errors.New("chimw: the session is not of this middleware's manager")
)

// IssueToken commits the session and returns a token that opens it. ctx is the
// request's. For the current session, the token ends with it, and if it had not
// been stored yet, it is carried by the token alone: no cookie is set. For one
// of Manager.New, the token is for a session of its own.
//
// It returns ErrCookieOnly, ErrExternal, ErrForeign, session.ErrLate once the
// response has begun, and the errors of [session.Session.Commit]. [Middleware.Error]
// answers each of them.
func (mw *Middleware) IssueToken(ctx context.Context, s *session.Session) (Token, error) {
	if !mw.ready() {
		return Token{}, errNotMade
	}
	x := mw.exchange(ctx)
	current := x != nil && x.session == s
	switch {
	case s.Manager() != mw.cfg.Manager:
		return Token{}, ErrForeign
	case x != nil && x.begun():
		return Token{}, session.ErrLate
	case current && x.external:
		return Token{}, ErrExternal
	case mw.cfg.Tokens == nil && s.Stored() && !(current && x.viaToken):
		return Token{}, ErrCookieOnly
	}
	s.AllowToken()
	if err := s.Commit(ctx); err != nil {
		return Token{}, err
	}
	t, err := mw.sign(s)
	if err == nil && x != nil {
		x.noteToken(s)
	}
	return t, err
}

func (x *exchange) begun() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.writer.begun
}

func (x *exchange) noteToken(s *session.Session) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.issued = true
	if x.session == s && (!x.live || s.Destroyed()) { // a new one, which nobody was told of
		x.viaToken, x.shown = true, s.ID()
	}
}

func (mw *Middleware) sign(s *session.Session) (Token, error) {
	if mw.cfg.Tokens == nil {
		c := s.Credential()
		if c.IsZero() {
			return Token{}, ErrCookieOnly
		}
		return newToken(c.Reveal(), s.Deadline()), nil
	}
	text, expires, err := mw.cfg.Tokens.Sign(mw.cfg.Manager.Name(), s.ID(), s.Deadline())
	if err != nil {
		return Token{}, fmt.Errorf("chimw: signing a token: %w", err)
	}
	return newToken(text, expires), nil
}
