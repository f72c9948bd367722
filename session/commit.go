package session

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Commit writes what this request changed, if anything, and otherwise records
// activity if that is due. It goes on after ctx is cancelled, for at most
// Config.CommitTimeout: a logout is not lost because a tab was closed.
//
// If another request committed first, the changes are applied to what it left,
// as often as it takes. Commit returns
//   - ErrGone if the session ended or was renewed meanwhile,
//   - ErrTooLarge if it doesn't fit into the store,
//   - an error that names the key of a value that can't be encoded,
//   - ErrUnavailable if the store failed: the outcome is unknown, and the
//     session writes nothing more, except that it can still be destroyed.
//
// and other errors for a subject or label that is too long. Of the changes to a
// stored session nothing was written in all cases but that of ErrUnavailable; a
// Destroy comes before what was changed after it, and stands by itself. A session
// that changes later may be committed again. Recording activity never fails.
func (s *Session) Commit(ctx context.Context) error { return s.commit(ctx, false) }

var errUnmounted = errors.New("session: commit of a nil *Session: is the middleware mounted?")

// CommitInPlace is Commit for when the client can't be given a new credential
// any more, because the response has begun. Changes that call for one (a first
// value, Renew, SetSubject) are not written, and ErrLate is returned. A Destroy
// and changes to a stored session are committed.
func (s *Session) CommitInPlace(ctx context.Context) error { return s.commit(ctx, true) }

func (s *Session) commit(ctx context.Context, inPlace bool) error {
	if s == nil {
		return errUnmounted
	}
	if !s.m.ready() {
		return errNoManager
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == fresh && !s.pending() {
		return nil // as for most who are anonymous
	}
	now := time.Now()
	if !s.pending() && !s.refreshDue(now) {
		return nil
	}
	ctx, cancel := s.m.detached(ctx)
	defer cancel()
	if !s.pending() {
		s.refresh(ctx, now)
		return nil
	}
	if err := s.commitDestroy(ctx); err != nil || !s.changed() {
		return err
	}
	err := s.settle(s.write(ctx, inPlace))
	if r := s.newcomer; r != nil {
		s.newcomer = nil
		s.m.limit(ctx, r) // now that no lock is held
	}
	return err
}

// detached is for what has to be written, whatever becomes of the request.
func (m *Manager) detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(context.WithoutCancel(ctx), m.cfg.CommitTimeout, errCommitTimeout)
}

var errCommitTimeout = errors.New("session: Config.CommitTimeout has passed")

// settle keeps in mind what a failed write means for later ones.
func (s *Session) settle(err error) error {
	switch {
	case err == nil && s.state != live:
		// Nothing was worth storing yet: what was said of the session holds for
		// when it is.
	case err == nil:
		s.log, s.attrs = nil, attrs{}
	case errors.Is(err, ErrGone):
		s.state = gone
	case errors.Is(err, ErrUnavailable):
		s.state = unsure
	}
	return err
}

func (s *Session) write(ctx context.Context, inPlace bool) error {
	switch s.state {
	case gone:
		return ErrGone
	case unsure:
		return fmt.Errorf("%w: an earlier commit had no answer", ErrUnavailable)
	case fresh:
		return s.create(ctx, inPlace)
	case renewed:
		if !s.attrs.login() {
			return ErrGone // the successor has its own client: a late answer must not speak for it
		}
		return s.create(ctx, inPlace)
	default:
		if s.rec.dead(toMillis(time.Now())) {
			return ErrGone // it ended during the request, though the store may keep it a little longer
		}
		if inPlace && s.attrs.moves() && !s.rec.id.isExternal() {
			return ErrLate
		}
		return s.locked(ctx, s.rewrite)
	}
}

// locked runs a write while no other one for the same session runs in this process.
func (s *Session) locked(ctx context.Context, write func(context.Context) error) error {
	id := s.rec.id
	waited, err := s.m.locks.acquire(ctx, id)
	if err != nil {
		return s.m.unavailable(ctx, id, err)
	}
	defer s.m.locks.release(id)
	if waited {
		s.version = 0 // the one before us has most likely written
	}
	return write(ctx)
}

func (s *Session) rewrite(ctx context.Context) error {
	if s.rec.id.isExternal() {
		// The ID is used again after a restart of the store, and so may its
		// versions be: the life has to be looked at once more.
		s.version = 0
	} else if s.attrs.moves() {
		return s.move(ctx)
	}
	return s.update(ctx)
}

// update writes the changes over the record they were made on, or over what
// another request made of it.
func (s *Session) update(ctx context.Context) error {
	mark := newMark()
	mine := func(e entry) bool { return e.record != nil && e.record.mark == mark }
	for {
		if err := s.reload(ctx); err != nil {
			return err
		}
		next, err := s.next()
		if err != nil {
			return err
		}
		next.mark = mark
		var listed *index
		begins := next.life != s.rec.life // an external session's subject changes in place
		if begins || next.deadline != s.rec.deadline {
			listed = s.m.enlist(ctx, next, ID{})
		}
		err = s.m.swap(ctx, next.id, next.encode(), s.version, s.m.ttl(next, next.seen), mine)
		if err == nil {
			s.adopt(next, s.cred)
			if begins {
				s.stands(next, listed)
			}
			return nil
		}
		if err = s.retry(ctx, err); err != nil {
			return err
		}
	}
}

// retry returns nil if a swap's error means that it should be tried on a fresh
// record, and otherwise the error for Commit.
func (s *Session) retry(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, ErrNotFound):
		return ErrGone
	case !errors.Is(err, ErrConflict):
		return err
	}
	s.m.Report(ctx, Event{Kind: Conflict, ID: s.rec.id})
	s.version = 0
	if !s.m.pause(ctx) {
		return fmt.Errorf("%w: no end of conflicts: %w", ErrUnavailable, ctx.Err())
	}
	return nil
}

// reload reads the record again if its version isn't known any more. Anything
// but the same life of the same session is ErrGone, or errRenewedMeanwhile.
func (s *Session) reload(ctx context.Context) error {
	if s.version != 0 {
		return nil
	}
	e, version, err := s.m.read(ctx, s.rec.id)
	switch {
	case errors.Is(err, ErrNotFound):
		return ErrGone
	case err != nil:
		return err
	case e.marker != nil && !e.marker.successor.IsZero():
		return errRenewedMeanwhile
	case e.marker != nil, e.record.life != s.rec.life, e.record.dead(toMillis(time.Now())):
		return ErrGone
	}
	return s.rebase(e.record, version)
}

// rebase puts this request's changes onto a record as it was just read, or
// changes nothing: half of them must never be taken for all.
func (s *Session) rebase(r *record, version uint64) error {
	vals := values{base: r.values}
	if to := s.attrs.subject; to != nil && r.subject != "" && r.subject != *to {
		vals.base = nil // named by another request meanwhile; see SetSubject
	}
	if err := s.log.apply(&vals); err != nil {
		return err
	}
	s.rec, s.version, s.vals = r, version, vals
	return nil
}

var errRenewedMeanwhile = fmt.Errorf("%w: renewed by another request", ErrGone)

// adopt takes over a record that was just written. Its version is not known.
func (s *Session) adopt(r *record, c Credential) {
	s.state, s.rec, s.version, s.cred = live, r, 0, c
	s.vals = values{base: r.values}
}

// next is the record with this request's changes: over what is stored, or over
// nothing for a session that isn't.
func (s *Session) next() (*record, error) {
	for _, c := range s.log {
		if c.err != nil {
			return nil, c.err
		}
	}
	next := *s.rec
	if s.state != live {
		next = record{id: s.rec.id}
		next.begin(&s.m.cfg, toMillis(time.Now()))
	}
	next.values = s.vals.encode()
	if err := s.attrs.apply(&next, &s.m.cfg, toMillis(time.Now())); err != nil {
		return nil, err
	}
	return &next, nil
}
