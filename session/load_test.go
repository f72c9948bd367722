package session_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/coatcheck/coatcheck/session"
)

func TestTokensOpenWhatAllowsThem(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	plain, c := begin(t, m)
	s := m.New()
	s.AllowToken()
	commit(t, s)
	t.Run("J15 a session opens for a token only if it was given one", func(t *testing.T) {
		_, err := m.LoadVerified(t.Context(), plain.ID())
		wantError(t, err, session.ErrNotFound)
		_, err = m.LoadOpaque(t.Context(), c)
		wantError(t, err, session.ErrNotFound)
		if _, err = m.LoadVerified(t.Context(), s.ID()); err != nil {
			t.Error(err)
		}
		if _, err = m.LoadOpaque(t.Context(), s.Credential()); err != nil {
			t.Error(err)
		}
	})
	t.Run("S5 a renewed or ended one is dead for tokens too", func(t *testing.T) {
		old := s.ID()
		s.Renew()
		commit(t, s)
		_, err := m.LoadVerified(t.Context(), old)
		wantError(t, err, session.ErrRenewed)
		if _, err := m.LoadVerified(t.Context(), s.ID()); err != nil {
			t.Errorf("the renewed session is closed to tokens: %v", err)
		}
		old = s.ID()
		s.Destroy()
		commit(t, s)
		_, err = m.LoadVerified(t.Context(), old)
		wantError(t, err, session.ErrNotFound)
	})
}

func TestNothingIsReportedOfACallerWhoLeft(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ended  error
		events int
	}{
		"the client has left":       {context.Canceled, 0},
		"the client's time is over": {context.DeadlineExceeded, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen events
			st := newStore()
			m := newManager(t, session.Config{Store: st, Observe: seen.observe})
			_, c := begin(t, m)
			ctx := &endedLater{Context: t.Context()}
			st.before = func(string, string) error { ctx.err = test.ended; return fmt.Errorf("store: %w", test.ended) }
			_, err := m.Load(ctx, c)
			wantError(t, err, session.ErrUnavailable)
			if got := seen.of(session.StoreFailed); len(got) != test.events {
				t.Errorf("events: %v, want %d", got, test.events)
			}
		})
	}
}

// endedLater is a context that ends when its error is set.
type endedLater struct {
	context.Context
	err error
}

func (c *endedLater) Err() error { return c.err }
