package main_test

import (
	"testing"

	example "github.com/coatcheck/coatcheck/cmd/example"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

// Of two first requests the later one has loaded the session before the other
// has given it an identifier.
func TestTheFirstIdentifierStays(t *testing.T) {
	t.Parallel()
	m, err := session.NewManager(session.Config{Store: new(memory.Store)})
	if err != nil {
		t.Fatal(err)
	}
	begun := m.New()
	session.Key[int]("visits").Put(begun, 1)
	if err := begun.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	load := func() *session.Session {
		t.Helper()
		s, err := m.Load(t.Context(), begun.Credential())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	identify := func(s *session.Session) string {
		t.Helper()
		id, err := example.Identify(t.Context(), s)
		if err != nil || id == "" {
			t.Fatalf("%q, %v", id, err)
		}
		return id
	}
	one, two := load(), load()
	first := identify(one)
	if second, stored := identify(two), identify(load()); second != first || stored != first {
		t.Errorf("the first shows %s, the second %s; %s is stored", first, second, stored)
	}
}
