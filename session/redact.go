package session

import (
	"fmt"
	"io"
	"log/slog"
)

// hidden keeps a secret from fmt, which prints unexported fields without asking
// them, and from dumpers that follow pointers: none calls a function.
type hidden[T any] func() *T

func hide[T any](v *T) hidden[T] { return func() *T { return v } }

// get returns nil for the zero value.
func (h hidden[T]) get() *T {
	if h == nil {
		return nil
	}
	return h()
}

const redacted = "[redacted]"

// Format writes a fixed text for every verb.
func (Credential) Format(f fmt.State, _ rune) { io.WriteString(f, "session.Credential"+redacted) }

// MarshalText returns a fixed text, for JSON and the like.
func (Credential) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns a fixed text.
func (Credential) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format writes a fixed text for every verb.
func (SealKey) Format(f fmt.State, _ rune) { io.WriteString(f, "session.SealKey"+redacted) }

// MarshalText returns a fixed text, for JSON and the like.
func (SealKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns a fixed text.
func (SealKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format writes the ID alone, for every verb: a session's values are nobody's
// business in a log.
func (s *Session) Format(f fmt.State, _ rune) {
	if s == nil {
		io.WriteString(f, "session.Session(nil)")
		return
	}
	fmt.Fprintf(f, "session.Session(%s)", s.ID())
}

// LogValue returns the ID alone.
func (s *Session) LogValue() slog.Value {
	if s == nil {
		return slog.StringValue("")
	}
	return slog.StringValue(s.ID().String())
}

// Format writes the name alone, for every verb.
func (m *Manager) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "session.Manager(%s)", m.Name()) }
