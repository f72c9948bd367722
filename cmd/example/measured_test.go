package main_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	example "github.com/coatcheck/coatcheck/cmd/example"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
	"github.com/coatcheck/coatcheck/session/storetest"
)

func TestMeasuredStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) session.Store {
		return example.NewMetrics("session", nil).Measure(new(memory.Store))
	})
}

// scripted is a store that answers everything with an error.
type scripted struct{ err error }

func (s scripted) Get(context.Context, string) ([]byte, uint64, error) { return nil, 0, s.err }
func (s scripted) Create(context.Context, string, []byte, time.Duration) error {
	return s.err
}
func (s scripted) Update(context.Context, string, []byte, uint64, time.Duration) error {
	return s.err
}
func (s scripted) Delete(context.Context, string) error { return s.err }

// choosy also has what is optional.
type choosy struct{ scripted }

func (choosy) Available(key string) bool { return key == "here" }
func (choosy) MaxValueBytes(string) int  { return 42 }

func TestMeasuredOutcomes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err     error
		outcome map[string]string // where it is not "failed"
	}{
		"success":   {nil, map[string]string{"get": "ok", "create": "ok", "update": "ok", "delete": "ok"}},
		"not found": {session.ErrNotFound, map[string]string{"get": "not found", "update": "not found"}},
		"exists":    {session.ErrExists, map[string]string{"create": "exists"}},
		"conflict":  {session.ErrConflict, map[string]string{"update": "conflict"}},
		"too large": {session.ErrTooLarge, map[string]string{"create": "too large", "update": "too large"}},
		"cancelled": {context.Canceled, map[string]string{"get": "abandoned", "create": "abandoned", "update": "abandoned", "delete": "abandoned"}},
		"too late":  {context.DeadlineExceeded, map[string]string{"get": "failed", "create": "failed", "update": "failed", "delete": "failed"}},
		"another":   {errors.New("no answer"), map[string]string{"get": "failed", "create": "failed", "update": "failed", "delete": "failed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := example.NewMetrics("session", nil)
			err := tt.err
			if err != nil {
				err = fmt.Errorf("wrapped: %w", err)
			}
			store := m.Measure(scripted{err})
			for operation, call := range map[string]func() error{
				"get":    func() error { _, _, err := store.Get(t.Context(), "k"); return err },
				"create": func() error { return store.Create(t.Context(), "k", nil, time.Second) },
				"update": func() error { return store.Update(t.Context(), "k", nil, 1, time.Second) },
				"delete": func() error { return store.Delete(t.Context(), "k") },
			} {
				outcome, ok := tt.outcome[operation]
				if !ok {
					continue
				}
				if got := call(); !errors.Is(got, err) {
					t.Errorf("%s: error %v, want %v", operation, got, err)
				}
				w := httptest.NewRecorder()
				m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
				name := fmt.Sprintf("coatcheck_store_duration_seconds{operation=%q,outcome=%q}", operation, outcome)
				if n := parseMetrics(t, w.Body.String()).at(t, name); n != 1 {
					t.Errorf("%s is %v", name, n)
				}
			}
		})
	}
}

func TestMeasuredOptions(t *testing.T) {
	t.Parallel()
	m := example.NewMetrics("session", nil)
	plain, more := m.Measure(scripted{}), m.Measure(choosy{})
	if !plain.Available("x") || plain.MaxValueBytes("x") != math.MaxInt {
		t.Error("what a store does not have is made up")
	}
	if more.Available("x") || !more.Available("here") || more.MaxValueBytes("x") != 42 {
		t.Error("what a store has is not passed on")
	}
	for range 3 {
		_, _, _ = more.Get(t.Context(), "k")
	}
	if err := more.Delete(t.Context(), "k"); err != nil || more.Gets() != 3 || plain.Gets() != 0 {
		t.Errorf("%d and %d gets, %v", more.Gets(), plain.Gets(), err)
	}
}
