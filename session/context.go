package session

import "context"

type contextKey struct{}

// bindings is a context that carries a session, for its manager and as the
// innermost one.
type bindings struct {
	context.Context
	s *Session
}

func (b *bindings) Value(key any) any {
	switch k := key.(type) {
	case contextKey:
		return b.s
	case *Manager:
		if k == b.s.m {
			return b.s
		}
	}
	return b.Context.Value(key)
}

// NewContext returns a context that carries the session, for a middleware, and
// for a handler's test. With a nil session it is ctx itself.
func NewContext(ctx context.Context, s *Session) context.Context {
	if s == nil {
		return ctx
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.context.s == nil { // the first context, usually the only one, costs no memory of its own
		s.context = bindings{ctx, s}
		return &s.context
	}
	return &bindings{ctx, s}
}

// FromContext returns the session of the innermost middleware, or nil outside
// of any. See [Session] for what nil does.
func FromContext(ctx context.Context) *Session {
	s, _ := ctx.Value(contextKey{}).(*Session)
	return s
}

// FromContext returns this manager's session, where several middlewares are
// nested, or nil outside of its own. See [Session] for what nil does.
func (m *Manager) FromContext(ctx context.Context) *Session {
	if m == nil {
		return nil
	}
	s, _ := ctx.Value(m).(*Session)
	return s
}
