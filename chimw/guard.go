package chimw

import (
	"errors"
	"net/http"

	"github.com/coatcheck/coatcheck/session"
)

var (
	errNoSession = errors.New("chimw: no session")
	errForbidden = errors.New("chimw: not for this session")
)

// RequireSession lets only requests with a stored session through; others get
// 401 with a challenge. A client with an external token has a session only once
// something was put into it: RequireToken is for those. Mount it inside of Handler.
func (mw *Middleware) RequireSession(next http.Handler) http.Handler {
	return mw.Require(func(*http.Request, *session.Session) bool { return true })(next)
}

// RequireSubject lets only requests through whose session has a subject; others
// get 401 with a challenge. With Config.Fingerprint, a session whose
// fingerprint differs from the subject's present one is destroyed: this ends
// sessions for certain where a list of them may have been lost.
func (mw *Middleware) RequireSubject(next http.Handler) http.Handler {
	return mw.RequireSession(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := mw.cfg.Manager.FromContext(r.Context())
		subject := s.Subject()
		if subject == "" {
			mw.turnAway(w, r, reasonNoSubject, notSignedIn())
			return
		}
		if mw.cfg.Fingerprint != nil {
			print, err := mw.cfg.Fingerprint(r.Context(), subject)
			if err != nil {
				mw.refuse(w, r, newProblem(http.StatusServiceUnavailable, err)) // not known to be right: not let through
				return
			}
			if !s.FingerprintIs(print) {
				mw.reportGuard(r, reasonFingerprint)
				s.Destroy()
				mw.refuse(w, r, notSignedIn())
				return
			}
		}
		next.ServeHTTP(w, r)
	}))
}

func notSignedIn() *Problem {
	p := newProblem(http.StatusUnauthorized, errNoSession)
	p.Detail = "Signing in is required."
	return p
}

// RequireToken lets only requests through whose session came by a token, which
// no browser sends by itself; others get 401 with a challenge.
func (mw *Middleware) RequireToken(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !mw.Carrier(r.Context()).token() {
			p := newProblem(http.StatusUnauthorized, errNoSession)
			p.Detail = "A token is required."
			mw.turnAway(w, r, reasonNoToken, p)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Require lets only requests through whose session is stored and which allow
// agrees to. The others get 401 without a session, and 403 with one; outside of
// Handler all get 500. A nil allow agrees to none.
func (mw *Middleware) Require(allow func(*http.Request, *session.Session) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			x := mw.exchange(r.Context())
			switch {
			case x == nil:
				mw.Error(w, r, errUnmounted) // fail closed: nobody vouches for the request
			case !x.session.Stored():
				mw.turnAway(w, r, reasonNoSession, newProblem(http.StatusUnauthorized, errNoSession))
			case allow == nil || !allow(r, x.session):
				p := newProblem(http.StatusForbidden, errForbidden)
				if x.carrier.token() {
					p.Code = "insufficient_scope"
				}
				mw.turnAway(w, r, reasonNotAllowed, p)
			default:
				next.ServeHTTP(w, r)
			}
		})
	}
}

// turnAway refuses what a guard doesn't let through, and reports it.
func (mw *Middleware) turnAway(w http.ResponseWriter, r *http.Request, reason string, p *Problem) {
	mw.reportGuard(r, reason)
	mw.refuse(w, r, p)
}

func (mw *Middleware) reportGuard(r *http.Request, reason string) {
	m := mw.cfg.Manager
	m.Report(r.Context(), session.Event{Kind: session.Rejected, ID: m.FromContext(r.Context()).ID(), Reason: reason})
}

var errUnmounted = errors.New("chimw: a guard outside of the middleware's Handler")
