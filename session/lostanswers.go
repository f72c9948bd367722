package session

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// resends bounds how often an attempt that had no answer is looked after.
const resends = 3

var (
	// errOvertaken: an attempt had no answer, and the entry has another version
	// now. It was applied and overwritten, or not and never will be.
	errOvertaken = errors.New("overtaken by another commit")
	errVanished  = errors.New("the entry is gone")
)

// swap replaces the version of what is under an ID. It returns the store's
// ErrConflict, ErrNotFound or ErrTooLarge if it certainly changed nothing, and
// ErrUnavailable otherwise.
//
// An attempt without an answer may have been applied, or may still be: a
// closed connection's command can arrive after the next one's. So the entry is
// read again. If it is the one that was sent (mine), all is well; if it is as
// it was, the same attempt may be sent again, since at most one of the two can
// meet that version; anything else stays unknown, and is never tried anew.
func (m *Manager) swap(ctx context.Context, id ID, body []byte, version uint64, ttl time.Duration, mine func(entry) bool) error {
	key := m.storeKey(id)
	value, err := m.sealers.seal(key, body)
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	err = m.cfg.Store.Update(ctx, key, value, version, ttl)
	if err == nil || isAny(err, ErrConflict, ErrNotFound, ErrTooLarge) {
		return err
	}
	lost := err // what is told in the end: a later answer says nothing about this attempt
	for range resends {
		now, at, rerr := m.read(ctx, id)
		switch {
		case errors.Is(rerr, ErrNotFound):
			return m.unavailable(ctx, id, errors.Join(lost, errVanished))
		case rerr != nil:
			return rerr
		case mine(now):
			return nil
		case at != version:
			return m.unavailable(ctx, id, errors.Join(lost, errOvertaken))
		}
		if err = m.cfg.Store.Update(ctx, key, value, version, ttl); err == nil {
			return nil
		}
		if !m.pause(ctx) {
			break
		}
	}
	return m.unavailable(ctx, id, lost)
}

// add stores what is under an ID for the first time: swap's care, for Create. A
// new session does without: see create.
// It returns ErrExists or ErrTooLarge if it certainly changed nothing, and
// ErrUnavailable otherwise.
func (m *Manager) add(ctx context.Context, id ID, body []byte, ttl time.Duration, mine func(entry) bool) error {
	key := m.storeKey(id)
	value, err := m.sealers.seal(key, body)
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	err = m.cfg.Store.Create(ctx, key, value, ttl)
	if err == nil || isAny(err, ErrExists, ErrTooLarge) {
		return err
	}
	lost := err
	for range resends {
		now, _, rerr := m.read(ctx, id)
		switch {
		case rerr == nil && mine(now):
			return nil
		case rerr == nil:
			return m.unavailable(ctx, id, errors.Join(lost, errOvertaken))
		case !errors.Is(rerr, ErrNotFound) || errors.Is(rerr, errUnreadable):
			return rerr
		}
		if err = m.cfg.Store.Create(ctx, key, value, ttl); err == nil {
			return nil
		}
		if !m.pause(ctx) {
			break
		}
	}
	return m.unavailable(ctx, id, lost)
}

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(t error) bool { return errors.Is(err, t) })
}

// pause waits a little before the next attempt, so that commits that met once
// don't meet again in step. It reports whether there is time left.
func (m *Manager) pause(ctx context.Context) bool {
	t := time.NewTimer(rand.N(2 * time.Millisecond)) //nolint:gosec // jitter, no secret
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
