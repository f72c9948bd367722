package session

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// stands notes that a subject has another session, to be counted after the
// commit; not if the index could not be reached just before.
func (s *Session) stands(r *record, listed *index) {
	if listed != nil {
		s.newcomer = r
	}
}

// limit ends the oldest sessions of a subject that has too many (more than
// Config.MaxPerSubject, 100 if it is not set), now that the
// new one stands: of several logins at once, the last to stand sees all. What
// the index lists is looked up first, but only if it is too much: an entry may be
// of a session that idled out, or never came to be.
func (m *Manager) limit(ctx context.Context, r *record) {
	if r.subject == "" {
		return
	}
	x, _, err := m.readIndex(ctx, r.subject)
	if err != nil || len(x.entries) <= m.cfg.MaxPerSubject {
		return // an error was reported; the next login tries again
	}
	var live []indexEntry
	var over []ID
	now := time.Now()
	for i, f := range m.lookUp(ctx, x) {
		switch e := x.entries[i]; {
		case f.record != nil:
			live = append(live, e)
		case f.ended || f.err == nil && !e.young(now):
			over = append(over, e.id)
		}
	}
	slices.SortFunc(live, func(a, b indexEntry) int { return cmp.Compare(a.created, b.created) })
	for _, e := range live[:max(len(live)-m.cfg.MaxPerSubject, 0)] {
		gone, err := m.revokeEntry(ctx, r.subject, e, r.id)
		if err != nil {
			m.Report(ctx, Event{Kind: StoreFailed, ID: e.id, Subject: r.subject, Reason: reasonLimit, Err: err})
		}
		if gone {
			over = append(over, e.id)
		}
	}
	m.delist(ctx, r.subject, over...)
}
