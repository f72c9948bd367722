package session

import (
	"context"
	"errors"
	"fmt"
)

// maxHops is how many renewals are followed. Markers live for 5 minutes; only
// somebody who writes to the store makes a maze of them.
const maxHops = 64

var errMaze = fmt.Errorf("%w: markers without end", ErrUnavailable)

// commitDestroy destroys the session that was this one before Destroy.
func (s *Session) commitDestroy(ctx context.Context) error {
	e := s.ending
	if e == nil {
		return nil
	}
	known := found{version: e.version}
	if e.version != 0 {
		known.record = &e.rec
	}
	subject, err := s.m.destroy(ctx, e.id, known, func(r *record) error {
		if e.life != (life{}) && e.id == r.id && r.life != e.life {
			return ErrGone // an external session that has begun anew since
		}
		return nil
	}, nil)
	if errors.Is(err, ErrNotFound) {
		err = ErrGone
	}
	if err == nil || errors.Is(err, ErrGone) {
		s.ending = nil
	}
	if err == nil {
		s.m.delist(ctx, subject, e.id)
	}
	return err
}

// found is what lies under an ID, of that version; 0: not read yet.
type found struct {
	entry
	version uint64
}

// destroy leaves a marker in a session's place, and in that of the session it
// was renewed to, even if that is still to be created: no commit can write over
// it, so nothing on its way revives either. It never deletes, since a commit
// that finds nothing cannot tell why.
//
// at is what is known to be under id. The session may only be destroyed if may
// agrees, and only be followed to a successor of owner, if one is given. destroy
// returns the session's subject. It returns ErrNotFound if nothing is there, and
// nil if a marker says that the session ended already.
func (m *Manager) destroy(ctx context.Context, id ID, at found, may func(*record) error, owner *digest) (subject string, err error) {
	if _, err := m.locks.acquire(ctx, id); err != nil {
		return "", m.unavailable(ctx, id, err)
	}
	defer m.locks.release(id)
	followed := false
	for hops := 0; hops < maxHops; {
		var err error
		if at.version == 0 {
			at.entry, at.version, err = m.read(ctx, id)
		}
		absent := errors.Is(err, ErrNotFound) && !errors.Is(err, errUnreadable) && followed
		switch {
		case err != nil && !absent:
			return "", err
		case !absent && at.marker != nil && !at.marker.successor.IsZero():
			if owner != nil && at.marker.subject != *owner {
				return "", ErrNotFound
			}
			id, at, followed = at.marker.successor, found{}, true
			hops++
			continue
		case !absent && at.marker != nil:
			if owner != nil && at.marker.subject != *owner && !followed {
				return "", ErrNotFound
			}
			return "", nil
		}
		subject, err := m.markEnd(ctx, id, at, absent, may)
		if err == nil {
			m.Report(ctx, Event{Kind: Destroyed, ID: id, Subject: subject})
			return subject, nil
		}
		// A marker that ends a session can be sent until it is there: overtaken
		// means that something else is, and has to be looked at again.
		if !isAny(err, ErrConflict, ErrExists, ErrNotFound, errOvertaken) || isAny(err, errRefused) {
			return "", err
		}
		at = found{}
		if !m.pause(ctx) {
			return "", fmt.Errorf("%w: no end of conflicts: %w", ErrUnavailable, ctx.Err())
		}
	}
	return "", errMaze
}

// markEnd puts the marker where a record is, or where one is still to come.
func (m *Manager) markEnd(ctx context.Context, id ID, at found, absent bool, may func(*record) error) (subject string, err error) {
	if absent {
		return "", m.add(ctx, id, (&marker{id: id}).encode(), markerTTL, isEndMarker)
	}
	r := at.record
	if err := may(r); err != nil {
		return "", fmt.Errorf("%w: %w", err, errRefused)
	}
	mk := marker{id: r.id, secret: r.secret, subject: subjectHash(r.subject), life: r.life}
	return r.subject, m.swap(ctx, id, mk.encode(), at.version, markerTTL, isEndMarker)
}

// errRefused: the record under the ID is not the one to be destroyed.
var errRefused = errors.New("not the session that was meant")

func isEndMarker(e entry) bool { return e.marker != nil && e.marker.successor.IsZero() }
