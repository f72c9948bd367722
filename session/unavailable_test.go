package session_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// That a commit's own time is over is the store's doing, and an operator's to know.
func TestStoreThatTakesAllTheTimeIsReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen events
		st := newStore()
		m := newManager(t, session.Config{Store: st, CommitTimeout: time.Second, Observe: seen.observe})
		s, _ := begin(t, m)
		count.Put(s, 1)
		st.before = func(string, string) error { time.Sleep(2 * time.Second); return context.DeadlineExceeded }
		wantError(t, s.Commit(t.Context()), session.ErrUnavailable)
		if got := seen.of(session.StoreFailed); len(got) == 0 {
			t.Error("nobody was told")
		}
	})
}
