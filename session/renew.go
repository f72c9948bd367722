package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
)

// move gives the session a new ID: a marker that names it takes the old
// record's place, then the new record is created. Everything that can fail
// beforehand is tried beforehand. If the second step fails, the client is
// logged out: the old credential is dead by then, and nothing may revive it.
func (s *Session) move(ctx context.Context) error {
	to, err := s.m.destination(ctx)
	if err != nil {
		return err
	}
	c, listed := s.m.issue(to), (*index)(nil)
	for {
		err := s.reload(ctx)
		if errors.Is(err, errRenewedMeanwhile) && s.attrs.login() {
			return s.afresh(ctx)
		}
		if err != nil {
			return err
		}
		next, body, err := s.successor(c)
		if err != nil {
			return err
		}
		if listed == nil {
			listed = s.m.enlist(ctx, next, s.predecessor(next))
		}
		if err = s.leave(ctx, next); err == nil {
			another := next.subject != s.rec.subject
			if err = s.arrive(ctx, next, body, c); err == nil && another {
				s.stands(next, listed)
			}
			return err
		}
		if err = s.retry(ctx, err); err != nil {
			return err
		}
	}
}

// successor is the record to be created for a credential, and its body.
func (s *Session) successor(c Credential) (*record, []byte, error) {
	next, err := s.next()
	if err != nil {
		return nil, nil, err
	}
	next.id, next.secret, next.mark = c.ID(), c.hash(), newMark()
	body := next.encode()
	if !s.m.fits(next.id, body) {
		return nil, nil, ErrTooLarge
	}
	return next, body, nil
}

// predecessor is the ID under which the subject's index knows this session.
func (s *Session) predecessor(next *record) ID {
	if next.subject != s.rec.subject {
		return ID{}
	}
	return s.rec.id
}

// leave puts the marker in the old record's place. That it was overtaken is
// just another conflict: a marker that names this successor is written once,
// and nobody writes over it, so it wasn't applied and never will be.
func (s *Session) leave(ctx context.Context, next *record) error {
	mk := marker{
		id:        s.rec.id,
		successor: next.id,
		secret:    s.rec.secret,
		subject:   subjectHash(next.subject),
		life:      next.life,
	}
	mine := func(e entry) bool { return e.marker != nil && e.marker.successor == next.id }
	err := s.m.swap(ctx, mk.id, mk.encode(), s.version, markerTTL, mine)
	if errors.Is(err, errOvertaken) {
		return ErrConflict
	}
	return err
}

// arrive creates the new record.
func (s *Session) arrive(ctx context.Context, next *record, body []byte, c Credential) error {
	old := s.rec.id
	mine := func(e entry) bool { return e.record != nil && e.record.mark == next.mark }
	err := s.m.add(ctx, next.id, body, s.m.ttl(next, next.seen), mine)
	switch {
	case err == nil:
		s.adopt(next, c)
		s.m.Report(ctx, Event{Kind: Renewed, ID: old, Successor: next.id, Subject: next.subject})
		return nil
	case errors.Is(err, ErrExists):
		return ErrGone // a Destroy or Revoke followed the marker and was here first
	case errors.Is(err, ErrUnavailable):
		return err
	default:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
}

// afresh begins a session of its own for a login whose client's credential was
// renewed meanwhile, as by a double-clicked login. The successor is left alone.
func (s *Session) afresh(ctx context.Context) error {
	if err := s.rebase(&record{id: s.rec.id}, 0); err != nil {
		return err
	}
	s.state = renewed
	return s.create(ctx, false)
}

func subjectHash(subject string) digest { return sha256.Sum256([]byte(subject)) }
