package session

import (
	"log/slog"
	"sync"
	"time"
)

// A Session is one client's session as one request sees it: read when the
// request began, changed by the handler through a [Key] and the methods here,
// written by Commit. Changes are visible to this request at once and to others
// after the commit.
//
// Sessions come from a [Manager], FromContext, or sessiontest.New. The nil
// *Session stands for a handler outside of the middleware: reading it yields
// nothing, changing it does nothing but log an error, and committing it fails.
// The zero Session is as the nil one. A Session is safe for concurrent use; its
// methods wait while it commits. It must not be copied.
type Session struct {
	m  *Manager
	mu sync.Mutex

	state   state
	rec     *record    // as the store was last seen to hold it, and never changed; of a session not stored: only a fixed ID
	version uint64     // of rec in the store; 0: not known any more, to be read again
	cred    Credential // what opens it, where that is known

	vals   values  // rec's, with log applied
	log    changes // since the last commit
	attrs  attrs   // since the last commit
	ending *ending // the session that this one was before Destroy, until that is committed

	newcomer  *record  // just stored, to be counted among its subject's sessions
	destroyed bool     // Destroy was called
	context   bindings // memory for the first context
}

// state is what a session is to the store.
type state uint8

const (
	fresh   state = iota // nothing stored yet
	live                 // stored, as rec says
	renewed              // what was shown names a session that goes by another ID now
	gone                 // a commit found it ended
	unsure               // a commit had no answer
)

// none reports whether it is nil, or was not made by a manager.
func (s *Session) none() bool { return s == nil || s.m == nil }

func unmounted() {
	slog.Error("session: changed a nil *Session, and the change is lost: is the middleware mounted?")
}

// Manager returns the manager that the session came from, which lists and
// revokes its subject's other ones. It is nil for a nil Session.
func (s *Session) Manager() *Manager {
	if s.none() {
		return nil
	}
	return s.m
}

// ID returns the session's ID. It is zero until the session is first committed,
// and after Destroy.
func (s *Session) ID() ID {
	if s.none() {
		return ID{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == fresh || s.state == renewed {
		return ID{}
	}
	return s.rec.id
}

// Stored reports whether the session was in the store when this request last
// looked: false for a request that showed no session, until the first commit.
func (s *Session) Stored() bool {
	if s.none() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == live
}

// Created returns when the session began, or began anew by a change of its
// subject. It is zero unless the session is stored.
func (s *Session) Created() time.Time { return s.time(func(r *record) int64 { return r.created }) }

// Deadline returns the absolute end of the session. It is zero unless the
// session is stored.
func (s *Session) Deadline() time.Time { return s.time(func(r *record) int64 { return r.deadline }) }

// IdleDeadline returns when the session ends unless there is activity. It is
// zero unless the session is stored.
func (s *Session) IdleDeadline() time.Time {
	return s.time(func(r *record) int64 { return r.expiry() })
}

func (s *Session) time(of func(*record) int64) time.Time {
	if s.none() {
		return time.Time{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != live {
		return time.Time{}
	}
	return fromMillis(of(s.rec))
}

// Subject returns whom the session belongs to, as set by SetSubject; "" for
// nobody.
func (s *Session) Subject() string {
	if s.none() {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.subject()
}

func (s *Session) subject() string {
	if s.attrs.subject != nil {
		return *s.attrs.subject
	}
	return s.rec.subject
}

// Keys returns the names of all values, sorted.
func (s *Session) Keys() []string {
	if s.none() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.vals.keys()
}

// Credential returns what opens the session, where this request knows it: it
// was shown, or the last commit made it. A middleware hands it to the client;
// nobody else needs it.
func (s *Session) Credential() Credential {
	if s.none() {
		return Credential{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != live {
		return Credential{}
	}
	return s.cred
}

// pending reports whether a commit has anything to write but a refresh.
func (s *Session) pending() bool { return s.ending != nil || s.changed() }

func (s *Session) changed() bool { return len(s.log) > 0 || s.attrs.any() }

// Clear removes all values.
func (s *Session) Clear() { s.change(change{kind: clearAll}) }

func (s *Session) change(c change) {
	if s.none() {
		unmounted()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record(c)
}

func (s *Session) record(c change) {
	c.err = c.apply(&s.vals)
	s.log = s.log.add(c)
}

// set changes an attribute.
func (s *Session) set(f func(a *attrs)) {
	if s.none() {
		unmounted()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.attrs)
}

// Renew gives the session a new ID and credential with the next commit; the old
// ones are dead at once. Call it when what the session may do changes;
// SetSubject does so by itself. Over HTTP the client is given the new one with
// the response, in the cookie, or in the header where it shows its token: an API
// client has to take it up there. It has no effect on a session that isn't stored
// yet, nor on an external one, whose client's token stays the same.
func (s *Session) Renew() {
	s.set(func(a *attrs) { a.renew = a.renew || s.state != fresh && !s.rec.id.isExternal() })
}

// SetSubject says whom the session belongs to from now on, "" for nobody: at
// most 1,024 bytes, or Commit fails. Another subject than before renews the
// session and begins a new life, from which Lifetime counts. Another one than a
// named subject also clears the values: what was shown to one person isn't to
// the next. It drops the fingerprint; see SetFingerprint.
func (s *Session) SetSubject(subject string) {
	s.set(func(a *attrs) {
		was := s.subject()
		if was == subject {
			return
		}
		if was != "" {
			s.record(change{kind: clearAll})
		}
		a.subject, a.print = &subject, nil
		if subject == s.rec.subject {
			a.subject, a.renew = nil, s.state != fresh // there and back: still not what the client came with
		}
	})
}

// SetLabel names the session for its owner's list, such as "Firefox on
// Linux": at most 255 bytes, or Commit fails. It is kept as readable as the
// values are.
func (s *Session) SetLabel(label string) { s.set(func(a *attrs) { a.label = &label }) }

// ExpireAt sets this session's absolute end, rounded down to a millisecond and
// to at most Config.MaxLifetime after it began. A time that has passed is a
// Destroy, at once.
func (s *Session) ExpireAt(t time.Time) {
	if !t.After(time.Now()) {
		s.Destroy()
		return
	}
	ms := toMillis(t)
	s.set(func(a *attrs) { a.deadline = &ms })
}

// SetIdleTimeout sets this session's own idle timeout: at least a second, at
// most Config.MaxLifetime, else it is set to the nearer of them. It counts from
// the commit, and one shorter than ten times Config.RefreshAfter shortens that too.
func (s *Session) SetIdleTimeout(d time.Duration) {
	s.set(func(a *attrs) { a.idle = &d })
}

// AllowToken marks the session as one that a token may open, from the next
// commit on, and makes a session that isn't stored yet worth storing. A
// middleware calls it when it issues a token.
func (s *Session) AllowToken() {
	s.set(func(a *attrs) { a.token = a.token || !s.rec.token || a.subject != nil })
}

// Destroy ends the session with the next commit: on every carrier, and so that
// nothing still on its way revives it. Changes made before are dropped; a
// change made after begins a new session under a new ID. What shows a renewed
// credential ends the session that it was renewed to.
func (s *Session) Destroy() {
	if s.none() {
		unmounted()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.destroyed = true
	if s.ending == nil && s.state != fresh && !s.rec.id.IsZero() {
		s.ending = &ending{id: s.rec.id, life: s.rec.life, version: s.version, rec: s.rec}
		if s.rec.id.isExternal() {
			s.ending.version = 0 // see rewrite
			s.ending.toCome = s.state == unsure
		}
	}
	s.reset()
}

// Destroyed reports whether Destroy was called, whatever came after it.
func (s *Session) Destroyed() bool {
	if s.none() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.destroyed
}

// reset makes it a session that isn't stored. An external one keeps its ID.
func (s *Session) reset() {
	id := ID{}
	if s.rec.id.isExternal() {
		id = s.rec.id
	}
	s.state, s.rec, s.version, s.cred = fresh, &record{id: id}, 0, Credential{}
	s.vals, s.log, s.attrs = values{}, nil, attrs{}
}
