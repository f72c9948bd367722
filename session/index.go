package session

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"
)

// index lists a subject's sessions. It may lag behind and may be lost: what it
// says is verified against the records, and they never depend on it.
type index struct {
	subject digest
	entries []indexEntry
}

// indexEntry is one session. The one that it was renewed from is named beside
// it, since the entry is written before the renewal: whichever of the two
// stands is meant.
type indexEntry struct {
	id      ID
	prev    ID
	created int64
	seen    int64
	end     int64 // the absolute deadline: after it the entry goes by itself
	label   string
}

const flagPrev byte = 1 << 0

func (x *index) encode() []byte {
	b := make([]byte, 0, 64+48*len(x.entries))
	b = append(b, kindIndex)
	b = append(b, x.subject[:]...)
	for _, e := range x.entries {
		var flags byte
		if !e.prev.IsZero() {
			flags |= flagPrev
		}
		b = append(append(b, flags), e.id[:]...)
		if flags&flagPrev != 0 {
			b = append(b, e.prev[:]...)
		}
		b = appendMillis(b, e.created)
		b = appendMillis(b, e.seen-e.created)
		b = appendMillis(b, e.end-e.created)
		b = appendBytes(b, e.label)
	}
	return b
}

func decodeIndex(b []byte) (*index, error) {
	if len(b) == 0 || b[0] != kindIndex {
		return nil, errRecord
	}
	r, x := reader{b: b[1:]}, new(index)
	r.fill(x.subject[:])
	for len(r.b) > 0 {
		var e indexEntry
		flags := r.byte()
		r.fill(e.id[:])
		if flags&flagPrev != 0 {
			r.fill(e.prev[:])
		}
		e.created = r.millis()
		e.seen = e.created + r.millis()
		e.end = e.created + r.millis()
		e.label = string(r.bytes())
		if flags&^flagPrev != 0 || e.prev.IsZero() != (flags == 0) {
			r.bad = true
		}
		x.entries = append(x.entries, e)
		if r.bad {
			break
		}
	}
	if r.bad {
		return nil, errRecord
	}
	return x, nil
}

// put adds an entry, or replaces the one that it is, or was renewed from.
func (x *index) put(e indexEntry) {
	for i, old := range x.entries {
		if old.id == e.id || old.id == e.prev {
			if old.id == e.id && e.prev.IsZero() {
				e.prev = old.prev
			}
			x.entries[i] = e
			return
		}
	}
	x.entries = append(x.entries, e)
}

// prune drops the entries whose sessions are certainly over.
func (x *index) prune(now int64) {
	x.entries = slices.DeleteFunc(x.entries, func(e indexEntry) bool { return now > e.end+ttlMargin.Milliseconds() })
}

func (x *index) remove(ids map[ID]bool) {
	x.entries = slices.DeleteFunc(x.entries, func(e indexEntry) bool { return ids[e.id] })
}

// merge takes over what another index knows and this one doesn't.
func (x *index) merge(other *index) {
	for _, e := range other.entries {
		if !slices.ContainsFunc(x.entries, func(mine indexEntry) bool { return mine.id == e.id || mine.prev == e.id }) {
			x.entries = append(x.entries, e)
		}
	}
}

// indexKeys are where a subject's index may lie; the first is where it is
// written. With seal keys it tells nothing of the subject, and has a place for
// each key.
func (m *Manager) indexKeys(subject string) []string {
	key := func(h []byte) string {
		return m.cfg.Name + ":subject:" + base64.RawURLEncoding.EncodeToString(h)
	}
	if len(m.sealers) == 0 {
		h := subjectHash(subject)
		return []string{key(h[:])}
	}
	keys := make([]string, len(m.sealers))
	for i, s := range m.sealers {
		h := s.subjects.sum([]byte(subject))
		keys[i] = key(h[:])
	}
	return keys
}

// readIndex returns everything known of a subject's sessions, and the version of
// the index at each of its keys, which is 0 if there is none.
func (m *Manager) readIndex(ctx context.Context, subject string) (*index, []uint64, error) {
	keys := m.indexKeys(subject)
	x, versions := &index{subject: subjectHash(subject)}, make([]uint64, len(keys))
	for i, key := range keys {
		value, version, err := m.cfg.Store.Get(ctx, key)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, nil, m.unavailable(ctx, ID{}, err)
		}
		versions[i] = version
		body, err := m.sealers.open(key, value)
		var found *index
		if err == nil {
			found, err = decodeIndex(body)
		}
		if err == nil && found.subject != x.subject {
			err = errMisplaced
		}
		if err != nil { // written over: a list of sessions is no session
			m.Report(ctx, Event{Kind: Unreadable, Subject: subject, Reason: reasonIndex, Err: err})
			continue
		}
		x.merge(found)
	}
	return x, versions, nil
}

// changeIndex changes a subject's index, and returns it. f runs again on a
// fresh index if another change came first; doing it twice must do no harm.
func (m *Manager) changeIndex(ctx context.Context, subject string, f func(*index)) (*index, error) {
	keys := m.indexKeys(subject)
	key := keys[0]
	ttl := m.cfg.MaxLifetime + ttlMargin
	for {
		x, versions, err := m.readIndex(ctx, subject)
		if err != nil {
			return nil, err
		}
		f(x)
		x.prune(toMillis(time.Now()))
		value, err := m.sealers.seal(key, x.encode())
		if err != nil {
			return nil, fmt.Errorf("session: %w", err)
		}
		if versions[0] == 0 {
			err = m.cfg.Store.Create(ctx, key, value, ttl)
		} else {
			err = m.cfg.Store.Update(ctx, key, value, versions[0], ttl)
		}
		if err == nil {
			m.emptyIndexes(ctx, x.subject, keys[1:], versions[1:], ttl)
			return x, nil
		}
		if !isAny(err, ErrConflict, ErrExists, ErrNotFound) || !m.pause(ctx) {
			return nil, m.unavailable(ctx, ID{}, err)
		}
	}
}

// emptyIndexes clears the places of other seal keys, whose entries have been
// taken over. One that has changed since is left for the next time.
func (m *Manager) emptyIndexes(ctx context.Context, subject digest, keys []string, versions []uint64, ttl time.Duration) {
	empty := index{subject: subject}
	for i, key := range keys {
		if versions[i] == 0 {
			continue
		}
		if value, err := m.sealers.seal(key, empty.encode()); err == nil {
			_ = m.cfg.Store.Update(ctx, key, value, versions[i], ttl) // what stays is only read again
		}
	}
}

// enlist notes a session in its subject's index, before the session is stored
// under this ID: what is stored is then never missing from the list. An index
// that can't be reached is an event: it keeps nobody from logging in.
func (m *Manager) enlist(ctx context.Context, r *record, prev ID) *index {
	if r.subject == "" {
		return nil
	}
	e := indexEntry{r.id, prev, r.created, r.seen, r.deadline, r.label}
	x, _ := m.changeIndex(ctx, r.subject, func(x *index) { x.put(e) }) // the error was reported
	return x
}

// delist takes a session that has ended out of its subject's index. Failing at
// that leaves an entry that List will find wanting.
func (m *Manager) delist(ctx context.Context, subject string, ids ...ID) {
	if subject == "" || len(ids) == 0 {
		return
	}
	ended := make(map[ID]bool, len(ids))
	for _, id := range ids {
		ended[id] = true
	}
	_, _ = m.changeIndex(ctx, subject, func(x *index) { x.remove(ended) }) // the error was reported
}

// young reports whether an entry's session may still be on its way.
func (e *indexEntry) young(now time.Time) bool {
	return toMillis(now)-e.seen < markerTTL.Milliseconds()
}
