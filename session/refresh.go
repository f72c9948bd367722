package session

import (
	"context"
	"time"
)

// refreshDue reports whether the last recorded activity is long enough ago: a
// tenth of IdleTimeout, unless Config.RefreshAfter says otherwise. A session's own,
// shorter idle timeout shortens that too. A commit that has nothing else to write
// asks for it.
func (s *Session) refreshDue(now time.Time) bool {
	after := s.m.cfg.RefreshAfter
	if s.rec.idle != 0 {
		after = min(after, s.rec.idleTimeout(&s.m.cfg)/10)
	}
	return s.state == live && toMillis(now)-s.rec.seen > after.Milliseconds()
}

// refresh records activity. It never fails a request: whatever is in its way,
// such as another request's commit, leaves the session as alive as it was. It
// keeps the mark of the last commit, whose author may still be looking for it.
func (s *Session) refresh(ctx context.Context, now time.Time) {
	if s.rec.dead(toMillis(now)) || !s.m.locks.try(s.rec.id) {
		return
	}
	defer s.m.locks.release(s.rec.id)
	if s.version == 0 && (s.reload(ctx) != nil || !s.refreshDue(now)) { // a long connection, which has committed before
		return
	}
	next := *s.rec
	next.touch(toMillis(now), next.idleTimeout(&s.m.cfg))
	key := s.m.storeKey(next.id)
	value, err := s.m.sealers.seal(key, next.encode())
	if err == nil {
		err = s.m.cfg.Store.Update(ctx, key, value, s.version, s.m.ttl(&next, next.seen))
	}
	s.version = 0
	switch {
	case err == nil:
		s.rec = &next
		s.m.enlist(ctx, &next, ID{}) // in case the index was lost
	case !isAny(err, ErrConflict, ErrNotFound):
		_ = s.m.unavailable(ctx, next.id, err) // an event
	}
}
