package migrating

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

// ErrUnreadable says that an old session is there, but that what it holds makes
// no sense: the client is as good as anonymous.
var ErrUnreadable = errors.New("migrating: unreadable old session")

var (
	errNotMounted = errors.New("migrating: a bridge outside of chimw's Handler")
	errChanged    = errors.New("migrating: a middleware between chimw's Handler and the bridge changes the session")
	errNotMade    = errors.New("the middleware made no session")
	errCensored   = errors.New("an error that quotes the cookie")
)

// A Bridge gives clients that show an old cookie, and no session of ours, a new
// session with what the old one held. Make one with [New]; it must not be
// copied. It is safe for concurrent use.
type Bridge struct {
	cfg     Config
	key     []byte       // derived from Config.Key
	cookie  *http.Cookie // the new one, but for its value
	oldName string
	expired string // the Set-Cookie line that takes the old one away
	turns   turns
}

// Handler is the bridge itself, to be mounted right inside of chimw's Handler:
// what another site caused has been refused there, and which session a request
// has is known.
func (b *Bridge) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := b.cfg.Manager.FromContext(r.Context())
		switch carrier := b.cfg.Middleware.Carrier(r.Context()); {
		case s == nil:
			b.cfg.Middleware.Error(w, r, errNotMounted) // fail closed: nobody vouches for the request
		case !b.concerned(r):
			next.ServeHTTP(w, r)
		case carrier == chimw.None && changed(s):
			s.Destroy() // or the error would bring its cookie, and the old session be left behind
			b.cfg.Middleware.Error(w, r, errChanged)
		case carrier == chimw.None:
			b.serve(w, r, next)
		default:
			if carrier == chimw.Cookie && !b.cfg.KeepCookie {
				w.Header().Add("Set-Cookie", b.expired) // left over from when it was kept
			}
			next.ServeHTTP(w, r)
		}
	})
}

// changed reports whether the session of a request that showed none was given
// something already: two sessions would have to become one.
func changed(s *session.Session) bool {
	return s.Stored() || s.Destroyed() || s.Subject() != "" || len(s.Keys()) > 0
}

// serve handles a request that shows the old cookie and no session of ours.
func (b *Bridge) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	found, err := b.cfg.Old.Find(r)
	if err == nil && !found.ended() {
		var cookie string
		if cookie, err = b.pass(found); err == nil && cookie != "" {
			b.enter(w, r, next, cookie)
			return
		}
	}
	b.without(w, r, next, b.censored(err, r))
}

// without handles a request whose old cookie opened nothing, for this reason.
func (b *Bridge) without(w http.ResponseWriter, r *http.Request, next http.Handler, err error) {
	var refused *refusedError
	switch {
	case err == nil:
		next.ServeHTTP(w, r)
	case errors.Is(err, ErrUnreadable):
		b.report(r.Context(), session.Unreadable, "old session", err)
		next.ServeHTTP(w, r)
	case errors.As(err, &refused):
		refused.send(w)
	default:
		// The client may be somebody, or may have signed out: to treat it as
		// nobody, or as who it was, would be a guess.
		b.report(r.Context(), session.StoreFailed, "old session", err)
		b.cfg.Middleware.Error(w, r, fmt.Errorf("%w: migrating: %w", session.ErrUnavailable, err))
	}
}

func (b *Bridge) report(ctx context.Context, kind session.Kind, reason string, err error) {
	b.cfg.Manager.Report(ctx, session.Event{Kind: kind, Reason: reason, Err: err})
}
