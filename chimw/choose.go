package chimw

import (
	"context"
	"errors"
	"net/http"

	"github.com/coatcheck/coatcheck/session"
)

// chosen is the session a request gets, and how it came.
type chosen struct {
	session  *session.Session
	carrier  Carrier
	external bool
	token    string // a signed token, as it was shown
}

// choose decides which session a request gets. A live cookie decides before
// anything else is looked at; then a token in a header; then, if there is none,
// a token in the body. A token that is shown and doesn't hold is refused, never
// taken for an anonymous request; a cookie that doesn't hold is one.
func (mw *Middleware) choose(r *http.Request) (chosen, *Problem) {
	cred := mw.readCookie(r)
	header := mw.readHeaders(r.Header)
	if !header.present {
		// What is left is carried by a cookie, by a body or not at all: all of
		// these another site's page can cause to be sent.
		if p := mw.crossOrigin(r, cred.ID()); p != nil {
			return chosen{}, p
		}
	}
	var anonymous *session.Session
	if !cred.IsZero() {
		s, err := mw.cfg.Manager.Load(r.Context(), cred)
		switch {
		case err == nil:
			return mw.byCookie(r, s, header)
		case !errors.Is(err, session.ErrNotFound) && !errors.Is(err, session.ErrRenewed):
			return chosen{}, newProblem(http.StatusServiceUnavailable, err)
		}
		anonymous = s // of a renewed credential: it can still end its successor
	}
	if header.present {
		return mw.byToken(r.Context(), header, Header)
	}
	body, p := mw.readBody(r)
	if p != nil {
		mw.reject(r.Context(), session.ID{}, reasonBody, p.Err)
		return chosen{}, p
	}
	if body.present {
		return mw.byToken(r.Context(), body, Body)
	}
	if anonymous == nil {
		anonymous = mw.cfg.Manager.New()
	}
	return chosen{session: anonymous, carrier: None}, nil
}

// readCookie returns the credential in the cookie. One that is malformed, or
// that differs from another of its name, is as good as none.
func (mw *Middleware) readCookie(r *http.Request) session.Credential {
	if mw.cfg.NoCookie {
		return session.Credential{}
	}
	value, found := mw.cookie.read(r.Header)
	switch found {
	case 0:
		return session.Credential{}
	case 1:
		cred, err := session.ParseCredential(value)
		if err != nil {
			mw.reject(r.Context(), session.ID{}, reasonMalformedCookie, nil)
		}
		return cred
	default:
		mw.reject(r.Context(), session.ID{}, reasonSeveralCookies, nil)
		return session.Credential{}
	}
}

func (mw *Middleware) byCookie(r *http.Request, s *session.Session, header shown) (chosen, *Problem) {
	if header.present { // not judged yet: the header might have decided
		if p := mw.crossOrigin(r, s.ID()); p != nil {
			return chosen{}, p
		}
	}
	return chosen{session: s, carrier: Cookie}, nil
}

func (mw *Middleware) byToken(ctx context.Context, t shown, by Carrier) (chosen, *Problem) {
	if t.conflict {
		mw.reject(ctx, session.ID{}, reasonSeveralTokens, nil)
		return chosen{}, conflicting()
	}
	c, err := mw.open(ctx, t.token)
	var p *Problem
	switch {
	case errors.As(err, &p):
		return chosen{}, p
	case err == nil:
		c.carrier = by
		return c, nil
	case isAny(err, errRefused, session.ErrNotFound, session.ErrRenewed):
		return chosen{}, newProblem(http.StatusUnauthorized, errInvalidToken)
	default:
		return chosen{}, newProblem(http.StatusServiceUnavailable, err)
	}
}

func conflicting() *Problem {
	p := newProblem(http.StatusBadRequest, errConflictingTokens)
	p.Code, p.Detail = "invalid_request", "The request shows its token more than once, or not as a text."
	return p
}

var (
	errConflictingTokens = errors.New("chimw: more than one token")
	errInvalidToken      = errors.New("chimw: invalid token")
	errRefused           = errors.New("chimw: token refused")
)

// open returns the session that a token opens. Its proof comes first: what is
// forged, malformed or expired costs no store call.
func (mw *Middleware) open(ctx context.Context, token string) (chosen, error) {
	m := mw.cfg.Manager
	if mw.cfg.Tokens != nil {
		id, err := mw.cfg.Tokens.Verify(m.Name(), token)
		if err == nil {
			s, err := m.LoadVerified(ctx, id)
			return chosen{session: s, token: token}, err
		}
		if !errors.Is(err, errors.ErrUnsupported) || mw.cfg.External == nil {
			return chosen{}, mw.rejected(ctx, reasonToken, err)
		}
	} else if cred, err := session.ParseCredential(token); err == nil {
		s, err := m.LoadOpaque(ctx, cred)
		return chosen{session: s}, err
	}
	if mw.cfg.External == nil {
		return chosen{}, mw.rejected(ctx, reasonToken, nil)
	}
	id, ok, err := mw.cfg.External.Identify(ctx, m.Name(), token)
	switch {
	case err != nil: // not the token's fault, whatever the error wraps
		return chosen{}, newProblem(http.StatusServiceUnavailable, err)
	case !ok:
		return chosen{}, mw.rejected(ctx, reasonExternal, nil)
	}
	s, err := m.LoadExternal(ctx, id)
	return chosen{session: s, external: true}, err
}

// rejected reports a token that is refused before the store is asked.
func (mw *Middleware) rejected(ctx context.Context, reason string, err error) error {
	mw.reject(ctx, session.ID{}, reason, err)
	return errRefused
}

func (mw *Middleware) reject(ctx context.Context, id session.ID, reason string, err error) {
	mw.cfg.Manager.Report(ctx, session.Event{Kind: session.Rejected, ID: id, Reason: reason, Err: err})
}
