package session

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"
)

// ttlMargin is what the store's time to live exceeds a record's deadline by, for
// clocks that differ. The deadline in the record is what counts.
const ttlMargin = time.Minute

// maxStoreKeyBytes is the longest key there is: of an index.
const maxStoreKeyBytes = maxNameBytes + len(":subject:") + 43

// storeKey is where a session lies: the manager's name, a colon and the ID as
// 22 characters. At most 87 bytes, none of them a client's own.
func (m *Manager) storeKey(id ID) string {
	b := make([]byte, 0, maxNameBytes+1+22)
	b = append(append(b, m.cfg.Name...), ':')
	return string(base64.RawURLEncoding.AppendEncode(b, id[:]))
}

// read returns what lies under an ID. What can't be read counts as absent: it
// is reported, and left as it is for a process that may know the key.
func (m *Manager) read(ctx context.Context, id ID) (entry, uint64, error) {
	key := m.storeKey(id)
	value, version, err := m.cfg.Store.Get(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return entry{}, 0, ErrNotFound
	}
	if err != nil {
		return entry{}, 0, m.unavailable(ctx, id, err)
	}
	e, err := m.decode(key, id, value)
	if err != nil {
		m.Report(ctx, Event{Kind: Unreadable, ID: id, Reason: reasonRecord, Err: err})
		return entry{}, version, fmt.Errorf("%w: %w", ErrNotFound, errUnreadable)
	}
	return e, version, nil
}

var (
	errUnreadable = errors.New("a record is there, but can't be read")
	errMisplaced  = errors.New("a record of another session")
)

func (m *Manager) decode(key string, id ID, value []byte) (entry, error) {
	body, err := m.sealers.open(key, value)
	if err != nil {
		return entry{}, err
	}
	e, err := decodeEntry(body)
	if err == nil && e.id() != id {
		// A client library or a proxy that mixes up answers must never show
		// one user another's session.
		return entry{}, errMisplaced
	}
	return e, err
}

// unavailable wraps a store's error, and tells the observer unless it is only
// that the caller has left, or has no time left. That CommitTimeout has passed is
// told: the store took all of it.
func (m *Manager) unavailable(ctx context.Context, id ID, err error) error {
	left := ctx.Err() != nil && errors.Is(err, ctx.Err())
	if !left || errors.Is(context.Cause(ctx), errCommitTimeout) {
		m.Report(ctx, Event{Kind: StoreFailed, ID: id, Err: err})
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// fits reports whether the store can hold a body, as far as it can tell.
func (m *Manager) fits(id ID, body []byte) bool {
	store, ok := m.cfg.Store.(ValueLimit)
	return !ok || len(body)+m.sealers.overhead() <= store.MaxValueBytes(m.storeKey(id))
}

func (m *Manager) ttl(r *record, now int64) time.Duration {
	left := min(max(r.expiry()-now, 0), maxLifetime.Milliseconds())
	return time.Duration(left)*time.Millisecond + ttlMargin
}
