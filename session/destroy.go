package session

import (
	"context"
	"errors"
	"fmt"
)

// end destroys the session that was this one before Destroy.
func (s *Session) end(ctx context.Context) error {
	e := s.ending
	if e == nil {
		return nil
	}
	known := entry{}
	if e.version != 0 {
		known.record = &e.rec
	}
	err := s.m.destroy(ctx, e.id, known, e.version, func(found *record) error {
		if e.life != (life{}) && e.id == found.id && found.life != e.life {
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
	return err
}

// destroy leaves a marker in a session's place, and in that of the session it
// was renewed to, even if that is still to be created: no commit can write over
// it, so nothing on its way revives either. It never deletes, since a commit
// that finds nothing cannot tell why.
//
// known is the record under id, of that version, if it was read before. The
// session may only be destroyed if may agrees, and only be followed to a
// successor of that subject, if one is given. It returns ErrNotFound if nothing
// is there, and nil if a marker says that the session ended already.
func (m *Manager) destroy(ctx context.Context, id ID, known entry, version uint64, may func(*record) error, subject *digest) error {
	if _, err := m.locks.acquire(ctx, id); err != nil {
		return m.unavailable(ctx, id, err)
	}
	defer m.locks.release(id)
	e, followed, err := known, false, error(nil)
	for at := id; ; {
		if version == 0 {
			e, version, err = m.read(ctx, at)
		}
		switch {
		case errors.Is(err, ErrNotFound) && !errors.Is(err, errUnreadable) && followed:
			err = m.add(ctx, at, (&marker{id: at}).encode(), markerTTL, isEnd)
		case err != nil:
			return err
		case e.record != nil:
			if err = may(e.record); err != nil {
				return err
			}
			err = m.swap(ctx, at, endOf(e.record).encode(), version, markerTTL, isEnd)
		case e.marker.successor.IsZero() && (followed || subject == nil || e.marker.subject == *subject):
			return nil
		case e.marker.successor.IsZero():
			return ErrNotFound
		case subject != nil && e.marker.subject != *subject:
			return ErrNotFound
		default:
			at, followed, version, err = e.marker.successor, true, 0, nil
			continue
		}
		if err == nil {
			m.Report(ctx, Event{Kind: Destroyed, ID: at})
			return nil
		}
		// A marker that ends a session can be sent until it is there: overtaken
		// means that something else is, and has to be looked at again.
		if !isAny(err, ErrConflict, ErrExists, ErrNotFound, errOvertaken) {
			return err
		}
		version, err = 0, nil
		if !m.pause(ctx) {
			return fmt.Errorf("%w: no end of conflicts: %w", ErrUnavailable, ctx.Err())
		}
	}
}

func isEnd(e entry) bool { return e.marker != nil && e.marker.successor.IsZero() }

func endOf(r *record) *marker {
	return &marker{id: r.id, secret: r.secret, subject: subjectHash(r.subject), life: r.life}
}
