package migrating

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

// ErrUnreadable says that an old session is there, but that what it holds makes
// no sense: the client is as good as anonymous.
var ErrUnreadable = errors.New("migrating: unreadable old session")

var (
	errNotMounted = errors.New("migrating: a bridge outside of chimw's Handler")
	errNotMade    = errors.New("the middleware made no session")
	errCensored   = errors.New("an error that quotes the cookie")
)

// patience is how long taking over one session may take, whatever becomes of
// the request that asked for it.
const patience = 5 * time.Second

// A Bridge gives clients that show an old cookie, and no session of ours, a new
// session with what the old one held. Make one with [New]; it must not be
// copied. It is safe for concurrent use.
type Bridge struct {
	cfg     Config
	key     []byte // derived from Config.Key
	name    string // of the new cookie
	oldName string
	expired string // the Set-Cookie line that takes the old one away

	// turns lets one request at a time take over a session (or one that shares
	// its turn): the others find its note instead of making sessions that are
	// dropped again. Among several processes the note alone decides.
	turns [64]chan struct{}
}

// Handler is the bridge itself, to be mounted right inside of chimw's Handler:
// what another site caused has been refused there, and which session a request
// has is known.
func (b *Bridge) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := b.cfg.Manager.FromContext(r.Context())
		_, noCookie := r.Cookie(b.oldName)
		switch carrier := b.cfg.Middleware.Carrier(r.Context()); {
		case s == nil:
			b.cfg.Middleware.Error(w, r, errNotMounted) // fail closed: nobody vouches for the request
		case noCookie != nil, !time.Now().Before(b.cfg.Until):
			next.ServeHTTP(w, r)
		case carrier == chimw.None && !s.Stored():
			b.serve(w, r, next)
		default:
			if carrier == chimw.Cookie && !b.cfg.KeepCookie {
				w.Header().Add("Set-Cookie", b.expired) // left over from when it was kept
			}
			next.ServeHTTP(w, r)
		}
	})
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

// pass returns the new cookie, as a Set-Cookie line, of the session that goes on
// in an old one's place, or "" if the old one opens nothing.
func (b *Bridge) pass(old Found) (string, error) {
	// Detached: once the session is stored its note has to follow.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(old.Request.Context()), patience)
	defer cancel()
	turn := b.turns[int(old.Digest[0])%len(b.turns)]
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	n, err := b.note(old.Digest)
	if err != nil {
		return "", err
	}
	cookie, err := b.recall(ctx, n)
	if !errors.Is(err, session.ErrNotFound) {
		return cookie, err
	}
	s, cookie, err := b.take(old.Request.WithContext(ctx))
	if err != nil || cookie == "" {
		return "", err
	}
	err = b.cfg.Store.Create(ctx, n.key, n.seal(cookie), old.ttl(b.cfg.Until))
	if errors.Is(err, session.ErrExists) { // another process was first: its session counts
		s.Destroy()
		_ = s.Commit(ctx) // nobody holds what opens it, ended or not
		return b.recall(ctx, n)
	}
	// After any other error the note may be there all the same: the session is
	// left alone, so that the client's next attempt finds it.
	return cookie, err
}

// take makes the new session. The middleware itself serves a request that shows
// nothing, so that the cookie is one that it would set, and an error the answer
// that it would give.
func (b *Bridge) take(r *http.Request) (s *session.Session, cookie string, err error) {
	got := newAnswer()
	stranger := r.Clone(r.Context())
	stranger.Body = http.NoBody
	for _, name := range []string{"Cookie", "Content-Type"} { // no session by a cookie, none by a body
		stranger.Header.Del(name)
	}
	b.cfg.Middleware.Handler(http.HandlerFunc(func(w http.ResponseWriter, inner *http.Request) {
		s = b.cfg.Manager.FromContext(inner.Context())
		if err = b.cfg.Copy(r, s); err == nil {
			err = s.Commit(r.Context())
		}
		if err != nil {
			s.Clear() // half a session is none
			s.SetSubject("")
		}
		if err != nil && !errors.Is(err, ErrUnreadable) {
			b.cfg.Middleware.Error(w, inner, err)
		}
	})).ServeHTTP(got, stranger)
	cookie = got.header.Get("Set-Cookie")
	switch {
	case errors.Is(err, ErrUnreadable):
		return nil, "", err
	case err == nil && s != nil && s.Stored() == (cookie != ""):
		return s, cookie, nil
	case got.status >= http.StatusBadRequest:
		return nil, "", &refusedError{got}
	default:
		return nil, "", errors.Join(errNotMade, err)
	}
}

// enter serves the request as if it had shown the new cookie. The middleware
// finds out whether that still opens anything: a session that ended or was
// renewed since makes the client anonymous, and it is told nothing.
func (b *Bridge) enter(w http.ResponseWriter, r *http.Request, next http.Handler, cookie string) {
	shown := r.Clone(r.Context())
	shown.Header["Cookie"] = b.withCookie(r.Header["Cookie"], cookie)
	b.cfg.Middleware.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b.cfg.Manager.FromContext(r.Context()).Stored() {
			w.Header().Add("Set-Cookie", cookie)
			if !b.cfg.KeepCookie {
				w.Header().Add("Set-Cookie", b.expired)
			}
		}
		next.ServeHTTP(w, r)
	})).ServeHTTP(w, shown)
}

// withCookie replaces what a request's Cookie lines say of the new cookie.
func (b *Bridge) withCookie(lines []string, cookie string) []string {
	pair, _, _ := strings.Cut(cookie, ";")
	pairs := []string{pair}
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			pair = strings.Trim(pair, " \t")
			if name, _, _ := strings.Cut(pair, "="); name != b.name {
				pairs = append(pairs, pair)
			}
		}
	}
	return []string{strings.Join(pairs, "; ")}
}

// censored drops an error's text if it quotes the old cookie: some stores name
// the key that they failed for.
func (b *Bridge) censored(err error, r *http.Request) error {
	c, _ := r.Cookie(b.oldName)
	if err == nil || c == nil || c.Value == "" || !strings.Contains(err.Error(), c.Value) {
		return err
	}
	if errors.Is(err, ErrUnreadable) {
		return ErrUnreadable
	}
	return errCensored
}
