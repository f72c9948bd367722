package session_test

import (
	"context"
	"testing"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

// benchmarks runs a benchmark over plain and over sealed sessions in memory.
func benchmarks(b *testing.B, f func(b *testing.B, m *session.Manager, c session.Credential)) {
	for name, keys := range map[string][]session.SealKey{"plain": nil, "sealed": {session.GenerateSealKey()}} {
		b.Run(name, func(b *testing.B) {
			m := newManager(b, session.Config{
				Store: new(memory.Store), SealKeys: keys,
				Observe: func(context.Context, session.Event) {},
			})
			_, c := begin(b, m)
			b.ReportAllocs()
			f(b, m, c)
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	benchmarks(b, func(b *testing.B, m *session.Manager, c session.Credential) {
		for b.Loop() {
			s, err := m.Load(b.Context(), c)
			if err != nil {
				b.Fatal(err)
			}
			count.Get(s)
			if err := s.Commit(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	benchmarks(b, func(b *testing.B, m *session.Manager, c session.Credential) {
		for b.Loop() {
			s, err := m.Load(b.Context(), c)
			if err != nil {
				b.Fatal(err)
			}
			count.Update(s, increment)
			if err := s.Commit(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkMadeUp is what a credential costs that nobody issued.
func BenchmarkMadeUp(b *testing.B) {
	benchmarks(b, func(b *testing.B, m *session.Manager, _ session.Credential) {
		_, c := begin(b, newManager(b, session.Config{}))
		for b.Loop() {
			if _, err := m.Load(b.Context(), c); err == nil {
				b.Fatal("it opens something")
			}
		}
	})
}
