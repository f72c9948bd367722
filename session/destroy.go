package session

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// markerTTL is how long a marker stands. It outlasts every commit that could
// still meet it: maxCommitTimeout, with room for a slow store.
const markerTTL = 5 * time.Minute

// maxHops is how many renewals are followed. Markers live for 5 minutes; only
// somebody who writes to the store makes a maze of them.
const maxHops = 64

var errMaze = fmt.Errorf("%w: markers without end", ErrUnavailable)

// ending is a session to be destroyed.
type ending struct {
	id      ID
	life    life
	version uint64 // of a live record; 0: to be read first
	rec     *record
	toCome  bool // its first commit had no answer, and may still be carried out
}

// commitDestroy destroys the session that was this one before Destroy.
func (s *Session) commitDestroy(ctx context.Context) error {
	e := s.ending
	if e == nil {
		return nil
	}
	known := found{version: e.version}
	if e.version != 0 {
		known.record = e.rec
	}
	subject, err := s.m.destroy(ctx, victim{id: e.id, at: known, toCome: e.toCome, may: func(_ ID, r *record) error {
		if r != nil && e.life != (life{}) && e.id == r.id && r.life != e.life {
			return ErrGone // an external session that has begun anew since
		}
		return nil
	}})
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

// victim is a session to be destroyed, on the way to where it stands.
type victim struct {
	id       ID
	at       found                   // what is known to be there
	may      func(ID, *record) error // agrees to the end of a record, nil if it is to come, or says why not
	owner    *digest                 // of the subject that a marker must name, if one is given
	toCome   bool                    // a record may still arrive where there is none
	followed bool                    // a marker led here
	hops     int
}

// destroy leaves a marker in a session's place, and in that of the session it
// was renewed to, even if that is still to be created: no commit can write over
// it, so nothing on its way revives either. It never deletes, since a commit
// that finds nothing cannot tell why.
//
// destroy returns the session's subject. It returns ErrNotFound if nothing is
// there, and nil if a marker says that the session ended already.
func (m *Manager) destroy(ctx context.Context, v victim) (subject string, err error) {
	id := v.id
	if _, err := m.locks.acquire(ctx, id); err != nil {
		return "", m.unavailable(ctx, id, err)
	}
	defer m.locks.release(id)
	for {
		if ended, err := m.locate(ctx, &v); ended || err != nil {
			return "", err
		}
		subject, err := m.markEnd(ctx, &v)
		if err == nil {
			m.Report(ctx, Event{Kind: Destroyed, ID: v.id, Subject: subject})
			return subject, nil
		}
		// A marker that ends a session can be sent until it is there: overtaken
		// means that something else is, and has to be looked at again.
		if !isAny(err, ErrConflict, ErrExists, ErrNotFound, errOvertaken) || isAny(err, errRefused) {
			return "", err
		}
		v.at = found{}
		if !m.pause(ctx) {
			return "", fmt.Errorf("%w: no end of conflicts: %w", ErrUnavailable, ctx.Err())
		}
	}
}

// locate goes to where a session stands, or is to stand, and reports whether it
// has ended already.
func (m *Manager) locate(ctx context.Context, v *victim) (ended bool, err error) {
	for ; v.hops < maxHops; v.hops++ {
		if v.at.version == 0 {
			if v.at.entry, v.at.version, err = m.read(ctx, v.id); err != nil {
				if v.toCome && errors.Is(err, ErrNotFound) && !errors.Is(err, errUnreadable) {
					return false, nil // its record is still to come
				}
				return false, err
			}
		}
		mk := v.at.marker
		switch {
		case mk == nil:
			return false, nil
		case v.owner != nil && mk.subject != *v.owner && (!v.followed || !mk.successor.IsZero()):
			return false, ErrNotFound // somebody else's
		case mk.successor.IsZero():
			return true, nil
		}
		v.id, v.at, v.followed, v.toCome = mk.successor, found{}, true, true
	}
	return false, errMaze
}

// markEnd puts the marker where a record is, or where one is still to come.
func (m *Manager) markEnd(ctx context.Context, v *victim) (subject string, err error) {
	r := v.at.record
	if err := v.may(v.id, r); err != nil {
		return "", fmt.Errorf("%w: %w", err, errRefused)
	}
	if r == nil {
		return "", m.add(ctx, v.id, (&marker{id: v.id}).encode(), markerTTL, isEndMarker)
	}
	mk := marker{id: r.id, secret: r.secret, subject: subjectHash(r.subject), life: r.life}
	return r.subject, m.swap(ctx, v.id, mk.encode(), v.at.version, markerTTL, isEndMarker)
}

// errRefused: the record under the ID is not the one to be destroyed.
var errRefused = errors.New("not the session that was meant")

func isEndMarker(e entry) bool { return e.marker != nil && e.marker.successor.IsZero() }
