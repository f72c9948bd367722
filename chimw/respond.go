package chimw

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/coatcheck/coatcheck/session"
)

// commit commits the session and says in the response's headers what the client
// has to know. After an error nothing was said.
func (x *exchange) commit(ctx context.Context, h http.Header) error {
	s := x.session
	x.allowToken()
	if err := s.Commit(ctx); err != nil {
		return err
	}
	x.mw.appendVary(h, nil) // again: the handler may have replaced it
	told, err := x.tell(h)
	if err != nil {
		return err
	}
	x.tellCaches(h, told)
	return nil
}

// allowToken marks a session that goes back by a token, if it is worth storing.
func (x *exchange) allowToken() {
	s := x.session
	if x.viaToken && !x.external && (s.Stored() || s.Subject() != "" || len(s.Keys()) > 0) {
		s.AllowToken()
	}
}

// tell gives the client what opens its session from now on, the way it came. It
// reports whether that was anything.
func (x *exchange) tell(h http.Header) (bool, error) {
	s, mw := x.session, x.mw
	if s.Destroyed() && mw.cfg.ClearSiteData != "" {
		h["Clear-Site-Data"] = []string{mw.cfg.ClearSiteData}
	}
	moved := s.Stored() && !x.external && s.ID() != x.shown
	switch {
	case x.viaToken && (moved || x.reissue()):
		switch t, err := mw.sign(s); {
		case err == nil:
			h[mw.cfg.Header] = []string{t.Reveal()}
		case moved:
			return false, err
		default: // the token that was shown holds: about to end, it needs no successor
			return false, nil
		}
	case !x.viaToken && (moved || x.extended()):
		mw.cookie.set(h, s.Credential(), s.Deadline())
	case s.Destroyed() && !x.carrier.token() && !mw.cfg.NoCookie:
		// Only now: a cookie that is merely dead is left alone, since a login
		// elsewhere may have replaced it.
		mw.cookie.expire(h)
	default:
		return false, nil
	}
	x.shown = s.ID()
	return true, nil
}

// extended reports whether a persistent cookie has to outlive what it was told.
func (x *exchange) extended() bool {
	s := x.session
	return x.mw.cfg.Persistent && x.carrier == Cookie && s.Stored() && !s.Deadline().Equal(x.deadline)
}

func (x *exchange) reissue() bool {
	if !x.mw.cfg.RefreshTokens || x.token == "" || x.issued || !x.session.Stored() {
		return false
	}
	return x.mw.cfg.Tokens.(Reissuer).ShouldReissue(x.token)
}

// commitLate commits what a handler changed after the response began.
func (x *exchange) commitLate(ctx context.Context) {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.session
	err := s.CommitInPlace(ctx)
	if err == nil && s.Stored() && !x.external && s.ID() != x.shown {
		err = session.ErrLate // the handler committed a new credential itself
	}
	if err != nil {
		x.reportDropped(ctx, reasonLate, err)
	}
}

// reportDropped reports changes that are lost.
func (x *exchange) reportDropped(ctx context.Context, reason string, err error) {
	x.mw.cfg.Manager.Report(ctx, session.Event{Kind: session.Dropped, ID: x.session.ID(), Reason: reason, Err: err})
}

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(t error) bool { return errors.Is(err, t) })
}
