package migrating

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

const (
	// patience is how long taking over one session may take, whatever becomes of
	// the request that asked for it.
	patience = 5 * time.Second

	// memory is for how long a session waits for its note to be written. While
	// notes fail, attempts make one session in that time and not one each: those
	// of the subject's other devices would be ended, by MaxPerSubject.
	memory = time.Minute
)

// made is a new session, and its cookie as a Set-Cookie line.
type made struct {
	session *session.Session
	cookie  string
}

// pass returns the new cookie, as a Set-Cookie line, of the session that goes on
// in an old one's place, or "" if the old one opens nothing.
func (b *Bridge) pass(old Found) (string, error) {
	// Detached: once the session is stored its note has to follow.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(old.Request.Context()), patience)
	defer cancel()
	n, err := b.note(old.Digest)
	if err != nil {
		return "", err
	}
	cookie, err := b.recall(ctx, n)
	if !errors.Is(err, session.ErrNotFound) {
		return cookie, err
	}
	t, err := b.turns.enter(ctx, old.Digest)
	if err != nil {
		return "", err
	}
	defer b.turns.exit(old.Digest, t)
	cookie, err = b.recall(ctx, n) // again: somebody may have had the turn before
	if !errors.Is(err, session.ErrNotFound) {
		return cookie, err
	}
	return b.take(ctx, n, t, old)
}

// take makes the new session, unless an earlier attempt has, and its note.
func (b *Bridge) take(ctx context.Context, n *note, t *turn, old Found) (string, error) {
	first := t.made == nil
	if first {
		m, err := b.copied(old.Request.WithContext(ctx))
		if err != nil || m == nil {
			return "", err
		}
		t.made = m
	}
	m := t.made
	err := b.cfg.Store.Create(ctx, n.key, n.seal(m.cookie), old.ttl(b.cfg.Until))
	cookie := m.cookie
	if errors.Is(err, session.ErrExists) { // another process was first, or an attempt of ours that had no answer
		cookie, err = b.recall(ctx, n)
	}
	switch {
	case err == nil && cookie != m.cookie, errors.Is(err, session.ErrTooLarge):
		t.made = nil
		m.session.Destroy()
		_ = m.session.Commit(ctx) // nobody holds what opens it, ended or not
	case err != nil && first:
		// The note may be there all the same: the session is left alone, so
		// that the client's next attempt finds it.
		b.turns.remember(old.Digest, memory)
	}
	if err != nil {
		return "", err
	}
	return cookie, nil
}

// copied returns the new session, or nil if there is nothing to take over. The
// middleware itself serves a request that shows nothing, so that the cookie is
// one that it would set, and an error the answer that it would give.
func (b *Bridge) copied(r *http.Request) (*made, error) {
	var s *session.Session
	var err error
	got := newAnswer()
	stranger := r.Clone(r.Context())
	stranger.Body = http.NoBody
	for _, name := range []string{"Cookie", "Content-Type"} { // no session by a cookie, none by a body
		stranger.Header.Del(name)
	}
	b.cfg.Middleware.Handler(http.HandlerFunc(func(w http.ResponseWriter, inner *http.Request) {
		s = b.cfg.Manager.FromContext(inner.Context())
		// This context has the new session, and what r's has of the old one.
		if err = b.cfg.Copy(r.WithContext(inner.Context()), s); err == nil && !s.Destroyed() {
			err = s.Commit(r.Context())
		}
		if err != nil || s.Destroyed() {
			s.Destroy() // half a session is none, nor is what came after its end
		}
		if err != nil && !errors.Is(err, ErrUnreadable) {
			b.cfg.Middleware.Error(w, inner, err)
		}
	})).ServeHTTP(got, stranger)
	cookie := got.header.Get("Set-Cookie")
	switch {
	case errors.Is(err, ErrUnreadable):
		return nil, err
	case err == nil && s != nil && (s.Destroyed() || !s.Stored() && cookie == ""):
		return nil, nil
	case err == nil && s != nil && s.Stored() && cookie != "":
		return &made{s, cookie}, nil
	case got.status >= http.StatusBadRequest:
		return nil, &refusedError{got}
	default:
		return nil, errors.Join(errNotMade, err)
	}
}
