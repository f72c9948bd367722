package session

import (
	"context"
	"errors"
	"fmt"
)

// create stores a session for the first time, if there is anything to keep.
func (s *Session) create(ctx context.Context, inPlace bool) error {
	first, err := s.next()
	if err != nil || len(first.values) == 0 && first.subject == "" && !s.attrs.token {
		return err
	}
	if first.id.isExternal() {
		return s.locked(ctx, s.beginExternal)
	}
	if inPlace {
		return ErrLate
	}
	var listed *index
	for attempt := range placements {
		// Each attempt is another session: should one be stored without an
		// answer, nobody holds what opens it.
		id, perr := s.m.place(ctx)
		if perr != nil {
			return errors.Join(perr, err)
		}
		first.id = id
		c := s.m.issue(first.id)
		first.secret = c.hash()
		if attempt == 0 || listed != nil { // an index that can't be reached is tried once
			listed = s.m.enlist(ctx, first, ID{})
		}
		err = s.m.createOnce(ctx, first)
		switch {
		case err == nil:
			s.adopt(first, c)
			s.m.Report(ctx, Event{Kind: Created, ID: first.id, Subject: first.subject})
			s.stands(first, listed)
			return nil
		case errors.Is(err, ErrTooLarge):
			s.m.delist(ctx, first.subject, first.id) // for certain it won't arrive
			return err
		case ctx.Err() != nil:
			return err
		}
	}
	return err
}

func (m *Manager) createOnce(ctx context.Context, r *record) error {
	key := m.storeKey(r.id)
	value, err := m.sealers.seal(key, r.encode())
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	err = m.cfg.Store.Create(ctx, key, value, m.ttl(r, r.seen))
	if err == nil || errors.Is(err, ErrTooLarge) {
		return err
	}
	return m.unavailable(ctx, r.id, err)
}

// beginExternal stores an external session: where nothing is, or over what is left of
// the one before. One that another request has begun is joined.
func (s *Session) beginExternal(ctx context.Context) error {
	first, err := s.next()
	if err != nil {
		return err
	}
	first.mark = newMark()
	mine := func(e entry) bool { return e.record != nil && e.record.mark == first.mark }
	listed := s.m.enlist(ctx, first, ID{})
	for {
		e, version, err := s.m.read(ctx, first.id)
		switch {
		case errors.Is(err, errUnreadable):
			// Another process may know the key: not ours to overwrite.
			return fmt.Errorf("%w: %w", ErrUnavailable, errUnreadable)
		case errors.Is(err, ErrNotFound):
			err = s.m.add(ctx, first.id, first.encode(), s.m.ttl(first, first.seen), mine)
		case err != nil:
			return err
		case e.record != nil && !e.record.dead(first.seen):
			return s.join(ctx, e.record, version)
		default:
			err = s.m.swap(ctx, first.id, first.encode(), version, s.m.ttl(first, first.seen), mine)
		}
		if err == nil {
			s.adopt(first, Credential{})
			s.m.Report(ctx, Event{Kind: Created, ID: first.id, Subject: first.subject})
			s.stands(first, listed)
			return nil
		}
		if !isAny(err, ErrExists, ErrConflict, ErrNotFound) {
			return err
		}
		if !s.m.pause(ctx) {
			return fmt.Errorf("%w: no end of conflicts: %w", ErrUnavailable, ctx.Err())
		}
	}
}

func (s *Session) join(ctx context.Context, r *record, version uint64) error {
	if err := s.rebase(r, version); err != nil {
		return err
	}
	s.state = live
	return s.update(ctx)
}

// issue makes the credential for an ID.
func (m *Manager) issue(id ID) Credential {
	c := newCredential(id)
	if len(m.sealers) > 0 {
		m.sealers[0].authenticate(c)
	}
	return c
}
