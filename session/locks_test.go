package session_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

func TestLockEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := newStore()
		m := newManager(t, session.Config{Store: st, CommitTimeout: time.Second})
		_, c := begin(t, m)
		a, b := load(t, m, c), load(t, m, c)
		hung := make(chan struct{})
		st.before = once("update", 1, func() error { <-hung; return nil })
		count.Update(a, increment)
		count.Update(b, increment)
		done := make(chan error)
		go func() { done <- a.Commit(t.Context()) }()
		synctest.Wait()
		if err := b.Commit(t.Context()); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("waiting for a commit that hangs gives %v, want ErrUnavailable", err)
		}
		close(hung)
		<-done
	})
}
