package session

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Info describes one of a subject's sessions, for its owner or an
// administrator. It holds nothing that opens the session. It is a copy, as
// things stood when it was read, and can be kept; a zero Info describes nothing.
type Info struct {
	ID           ID        // for Revoke
	Created      time.Time // when it began, or its subject last changed
	LastSeen     time.Time // as recorded: up to Config.RefreshAfter before the last request
	Deadline     time.Time // its absolute end
	IdleDeadline time.Time // its end unless there is activity
	Label        string    // as set by SetLabel
	Token        bool      // a token opens it, or did
	External     bool      // it belongs to a token that somebody else issued
}

func (r *record) info() Info {
	return Info{
		ID: r.id, Created: fromMillis(r.created), LastSeen: fromMillis(r.seen),
		Deadline: fromMillis(r.deadline), IdleDeadline: fromMillis(r.expiry()),
		Label: r.label, Token: r.token, External: r.id.isExternal(),
	}
}

// lookups bounds how many records List reads at a time.
const lookups = 16

// List returns the live sessions of a subject, the newest first, for
// the owner's page of devices. It costs a store call for each and one for each seal key, and takes those that have ended
// off the list. The list itself is kept in the store and may be evicted:
// sessions missing from it appear again once they are refreshed.
//
// If some records could not be reached, it returns the others, and joins an
// [*IDError] for each of these, an ErrUnavailable. It returns ErrUnavailable alone
// if the list can't be read, and nothing for the subject "".
func (m *Manager) List(ctx context.Context, subject string) ([]Info, error) {
	if !m.ready() {
		return nil, errNoManager
	}
	if subject == "" {
		return nil, nil
	}
	x, _, err := m.readIndex(ctx, subject)
	if err != nil {
		return nil, err
	}
	looked := m.lookUp(ctx, x)
	var live []Info
	var errs []error
	var dead []ID
	now := time.Now()
	for i, f := range looked {
		switch {
		case f.err != nil:
			errs = append(errs, &IDError{x.entries[i].id, f.err})
		case f.record != nil:
			live = append(live, f.record.info())
		case f.ended || !x.entries[i].young(now):
			dead = append(dead, x.entries[i].id)
		}
	}
	if len(dead) > 0 {
		m.delist(ctx, subject, dead...)
	}
	slices.SortFunc(live, func(a, b Info) int {
		return cmp.Or(b.Created.Compare(a.Created), bytes.Compare(a.ID[:], b.ID[:]))
	})
	live = slices.CompactFunc(live, func(a, b Info) bool { return a.ID == b.ID })
	return live, errors.Join(errs...)
}

type lookup struct {
	record *record
	ended  bool // there was one; if neither, it may still be on its way
	err    error
}

func (m *Manager) lookUp(ctx context.Context, x *index) []lookup {
	found := make([]lookup, len(x.entries))
	turns := make(chan struct{}, lookups)
	var wg sync.WaitGroup
	for i, e := range x.entries {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			found[i] = m.follow(ctx, e.id, x.subject)
			if found[i] == (lookup{}) && !e.prev.IsZero() {
				found[i] = m.follow(ctx, e.prev, x.subject)
			}
		})
	}
	wg.Wait()
	return found
}

// follow finds the live record of a subject's session, under this ID or one
// that it was renewed to.
func (m *Manager) follow(ctx context.Context, id ID, subject digest) lookup {
	for range maxHops {
		e, _, err := m.read(ctx, id)
		switch {
		case errors.Is(err, ErrNotFound):
			return lookup{}
		case err != nil:
			return lookup{err: err}
		case e.marker != nil:
			if e.marker.successor.IsZero() || e.marker.subject != subject {
				return lookup{ended: true}
			}
			id = e.marker.successor
		case subjectHash(e.record.subject) != subject || e.record.dead(toMillis(time.Now())):
			return lookup{ended: true}
		default:
			return lookup{record: e.record}
		}
	}
	return lookup{err: errMaze}
}

// Revoke ends sessions of a subject by their IDs: an administrator's or the
// owner's "sign out there". What was renewed meanwhile is followed. It goes on
// after ctx is cancelled, for Config.CommitTimeout in all. The error
// joins an [*IDError] for each session that was not ended: ErrNotFound if there is
// none of this subject's, ErrUnavailable if that could not be told.
func (m *Manager) Revoke(ctx context.Context, subject string, ids ...ID) error {
	if !m.ready() {
		return errNoManager
	}
	ctx, cancel := m.detached(ctx)
	defer cancel()
	var errs []error
	var ended []ID
	for _, id := range ids {
		if err := m.revoke(ctx, subject, id); err != nil {
			if errors.Is(err, ErrNotFound) { // a slip, or somebody who tries the IDs of others
				m.Report(ctx, Event{Kind: Rejected, ID: id, Subject: subject, Reason: reasonNotTheirs})
			}
			errs = append(errs, &IDError{id, err})
			continue
		}
		ended = append(ended, id)
	}
	m.delist(ctx, subject, ended...)
	return errors.Join(errs...)
}

// RevokeAll ends every listed session of a subject but the excepted ones:
// "sign out everywhere else". It returns what Revoke does, an [*IDError] for each
// session that was not ended, but none for those that had. It returns
// ErrUnavailable alone if the list can't be read.
//
// It misses a session whose login is under way, and all that an evicted list
// doesn't name. Where it must be certain, as after a change of password, use a
// fingerprint besides; see [Session.SetFingerprint].
func (m *Manager) RevokeAll(ctx context.Context, subject string, except ...ID) error {
	if !m.ready() {
		return errNoManager
	}
	ctx, cancel := m.detached(ctx)
	defer cancel()
	x, _, err := m.readIndex(ctx, subject)
	if err != nil {
		return err
	}
	var errs []error
	var ended []ID
	for _, e := range x.entries {
		if slices.Contains(except, e.id) || !e.prev.IsZero() && slices.Contains(except, e.prev) {
			continue
		}
		gone, err := m.revokeEntry(ctx, subject, e, except...)
		if err != nil {
			errs = append(errs, &IDError{e.id, err})
		}
		if gone {
			ended = append(ended, e.id)
		}
	}
	m.delist(ctx, subject, ended...)
	return errors.Join(errs...)
}

// revokeEntry ends a listed session, under whichever of its IDs it stands, and
// reports whether its entry can go: one whose session isn't there may be of a
// session still on its way, which must not arrive unlisted.
func (m *Manager) revokeEntry(ctx context.Context, subject string, e indexEntry, except ...ID) (gone bool, err error) {
	err = m.revoke(ctx, subject, e.id, except...)
	if errors.Is(err, ErrNotFound) && !e.prev.IsZero() {
		err = m.revoke(ctx, subject, e.prev, except...)
	}
	if errors.Is(err, errSpared) {
		return false, nil
	}
	if errors.Is(err, ErrNotFound) {
		return !e.young(time.Now()), nil
	}
	return err == nil, err
}

// errSpared: what an ID led to is excepted.
var errSpared = errors.New("the session is excepted")

func (m *Manager) revoke(ctx context.Context, subject string, id ID, except ...ID) error {
	if subject == "" {
		return ErrNotFound // sessions of nobody are nobody's to revoke
	}
	owner := subjectHash(subject)
	_, err := m.destroy(ctx, victim{id: id, owner: &owner, may: func(at ID, r *record) error {
		switch {
		case slices.Contains(except, at):
			return errSpared
		case r != nil && r.subject != subject:
			return ErrNotFound
		}
		return nil
	}})
	return err
}
