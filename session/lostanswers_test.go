package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// scripted lets a test decide what becomes of each Update.
type scripted struct {
	session.Store
	n      int
	update func(n int, apply func() error) error
	late   func() error // an attempt without an answer that is still on its way
}

func (s *scripted) Update(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
	apply := func() error { return s.Store.Update(context.WithoutCancel(ctx), key, value, version, ttl) }
	if s.update == nil {
		return apply()
	}
	s.n++
	return s.update(s.n, apply)
}

// arrivingLate is a store that gives no answer to an Update until, at one of the
// attempts, the first of them is carried out after all, and that attempt refused.
func arrivingLate(t *testing.T, st session.Store, at int, then func()) *scripted {
	sc := &scripted{Store: st}
	sc.update = func(n int, apply func() error) error {
		switch {
		case n == 1:
			sc.late = apply
			return errLost
		case n < at:
			return errLost
		case n > at:
			return apply()
		}
		if err := sc.late(); err != nil {
			t.Error(err)
		}
		err := apply() // ErrConflict
		then()
		return err
	}
	return sc
}

// TestRefusedResend: an attempt without an answer lands before it is sent again,
// so that the second one is refused. That refusal says nothing of the first.
func TestRefusedResend(t *testing.T) {
	t.Parallel()
	t.Run("M13 and another commit comes in between", func(t *testing.T) {
		t.Parallel()
		st := newStore()
		m, other := newManager(t, session.Config{Store: st}), newManager(t, session.Config{Store: st.Store})
		_, c := begin(t, m)
		s, s2 := load(t, m, c), load(t, other, c)
		count.Update(s, increment)
		items.Put(s2, []string{"other"})
		st.Store = arrivingLate(t, st.Store, 2, func() { commit(t, s2) })
		wantError(t, s.Commit(t.Context()), session.ErrUnavailable)
		wantCount(t, other, c, 2)
	})
	t.Run("M13 at the last time of asking", func(t *testing.T) {
		t.Parallel()
		st := newStore()
		m := newManager(t, session.Config{Store: st})
		_, c := begin(t, m)
		s := load(t, m, c)
		count.Update(s, increment)
		st.Store = arrivingLate(t, st.Store, 4, func() {})
		if err := s.Commit(t.Context()); err != nil && !errors.Is(err, session.ErrUnavailable) {
			t.Error(err) // "done" would be right as well
		}
		wantCount(t, m, c, 2)
	})
}

// TestM13ResentAndLostAgain loses every answer but leaves the store as it is.
func TestM13ResentAndLostAgain(t *testing.T) {
	t.Parallel()
	for _, never := range []bool{true, false} {
		st := newStore()
		m := newManager(t, session.Config{Store: st})
		_, c := begin(t, m)
		s := load(t, m, c)
		count.Update(s, increment)
		lost := 0
		lose := func(op, _ string) error {
			if op != "update" || !never && lost > 0 {
				return nil
			}
			lost++
			return errLost
		}
		st.before = lose
		err := s.Commit(t.Context())
		st.before = nil
		if never {
			wantError(t, err, session.ErrUnavailable)
			wantCount(t, m, c, 1)
			continue
		}
		if err != nil { // the second attempt got through
			t.Error(err)
		}
		wantCount(t, m, c, 2)
	}
}
