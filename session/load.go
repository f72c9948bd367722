package session

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// New returns a session that isn't stored yet: the first commit that has
// something to keep gives it an ID and a credential.
func (m *Manager) New() *Session { return &Session{m: m, rec: noRecord} }

var noRecord = new(record)

// Load returns the session that a credential opens. It asks the store once, and
// not at all for a credential that this manager's seal keys didn't make.
//
// It returns ErrNotFound if there is no such session, or it has ended. It
// returns ErrRenewed if the session goes by another ID now, and with it, as the
// only session besides a nil error, one without values: it may be read, be
// destroyed, which ends the session it was renewed to, or be given a subject,
// which begins a new one; a commit of any other change is ErrGone. It
// returns ErrUnavailable if the store fails.
func (m *Manager) Load(ctx context.Context, c Credential) (*Session, error) {
	if !m.ready() {
		return nil, errNoManager
	}
	if c.IsZero() {
		return nil, ErrNotFound
	}
	if !m.sealers.issued(c) {
		return nil, m.reject(ctx, c.ID(), reasonNotIssued)
	}
	e, version, err := m.read(ctx, c.ID())
	switch {
	case err != nil:
		return nil, m.absent(ctx, c.ID(), err)
	case e.marker != nil:
		if !c.proves(e.marker.secret) {
			return nil, m.reject(ctx, c.ID(), reasonSecret)
		}
		return m.superseded(ctx, e.marker)
	case !c.proves(e.record.secret):
		return nil, m.reject(ctx, c.ID(), reasonSecret)
	}
	return m.open(ctx, e.record, version, c)
}

// LoadVerified returns the session with an ID that a token proved the right
// to. The session must have been marked by AllowToken: knowing an ID, or
// even a signing key, opens no session that was never given a token. It returns
// the errors of Load; for ErrRenewed too the session is nil then.
func (m *Manager) LoadVerified(ctx context.Context, id ID) (*Session, error) {
	if !m.ready() {
		return nil, errNoManager
	}
	if !id.isRandom() {
		return nil, m.reject(ctx, id, reasonNotRandom)
	}
	e, version, err := m.read(ctx, id)
	switch {
	case err != nil:
		return nil, m.absent(ctx, id, err)
	case e.marker != nil:
		_, err := m.superseded(ctx, e.marker)
		return nil, err
	}
	return m.openByToken(ctx, e.record, version, Credential{})
}

// LoadOpaque returns the session of a token that is itself a credential. Like
// LoadVerified it opens only sessions marked by AllowToken, never one
// whose credential belongs in a cookie, and returns that one's errors.
func (m *Manager) LoadOpaque(ctx context.Context, c Credential) (*Session, error) {
	s, err := m.Load(ctx, c)
	if err != nil {
		return nil, err
	}
	return m.openByToken(ctx, s.rec, s.version, c)
}

func (m *Manager) openByToken(ctx context.Context, rec *record, version uint64, c Credential) (*Session, error) {
	if !rec.token {
		return nil, m.reject(ctx, rec.id, reasonNoToken)
	}
	return m.open(ctx, rec, version, c)
}

// LoadExternal returns the session of a token that somebody else issued, under
// the version 8 ID derived from it. If there is none, it returns one that isn't
// stored yet and will keep that ID. It returns ErrNotFound for an ID that isn't
// a version 8 UUID, and ErrUnavailable if the store fails.
func (m *Manager) LoadExternal(ctx context.Context, id ID) (*Session, error) {
	if !m.ready() {
		return nil, errNoManager
	}
	if !id.isExternal() {
		return nil, m.reject(ctx, id, reasonNotExternal)
	}
	e, version, err := m.read(ctx, id)
	if err == nil && e.record != nil && !e.record.dead(toMillis(time.Now())) {
		return m.open(ctx, e.record, version, Credential{})
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	return &Session{m: m, rec: &record{id: id}}, nil
}

func (m *Manager) open(ctx context.Context, rec *record, version uint64, c Credential) (*Session, error) {
	if rec.dead(toMillis(time.Now())) {
		m.Report(ctx, Event{Kind: Expired, ID: rec.id, Subject: rec.subject})
		return nil, ErrNotFound
	}
	return &Session{m: m, state: live, rec: rec, version: version, cred: c, vals: values{base: rec.values}}, nil
}

// superseded answers a credential whose session has left a marker.
func (m *Manager) superseded(ctx context.Context, mk *marker) (*Session, error) {
	if mk.successor.IsZero() {
		return nil, m.reject(ctx, mk.id, reasonEnded)
	}
	m.Report(ctx, Event{Kind: Rejected, ID: mk.id, Successor: mk.successor, Reason: reasonRenewed})
	return &Session{m: m, state: renewed, rec: &record{id: mk.id}}, ErrRenewed
}

func (m *Manager) reject(ctx context.Context, id ID, reason string) error {
	m.Report(ctx, Event{Kind: Rejected, ID: id, Reason: reason})
	return fmt.Errorf("%w: %s", ErrNotFound, reason)
}

func (m *Manager) absent(ctx context.Context, id ID, err error) error {
	if errors.Is(err, ErrNotFound) && !errors.Is(err, errUnreadable) {
		m.Report(ctx, Event{Kind: Rejected, ID: id, Reason: reasonUnknown})
	}
	return err
}
