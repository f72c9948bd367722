package session_test

import (
	"testing"

	"github.com/coatcheck/coatcheck/session"
)

func TestContextsNest(t *testing.T) {
	t.Parallel()
	if session.FromContext(t.Context()) != nil {
		t.Error("a context without a session gives one")
	}
	if session.NewContext(t.Context(), nil) != t.Context() {
		t.Error("a nil session makes a context")
	}
	m1 := newManager(t, session.Config{Name: "one"})
	m2 := newManager(t, session.Config{Name: "two"})
	a, b := m1.New(), m2.New()
	ctx := session.NewContext(session.NewContext(t.Context(), a), b)
	if session.FromContext(ctx) != b || m1.FromContext(ctx) != a || m2.FromContext(ctx) != b {
		t.Error("nested sessions are mixed up")
	}
	again := session.NewContext(ctx, a)
	if session.FromContext(again) != a || session.FromContext(ctx) != b {
		t.Error("a second context of one session changed the first")
	}
	type other struct{}
	if v := ctx.Value(other{}); v != nil {
		t.Errorf("another key gives %v", v)
	}
}
