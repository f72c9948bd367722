package session_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/coatcheck/coatcheck/session"
)

// Signing in gives the session a new ID and credential, so that nobody who knew
// the old one is signed in as well. What was put into it before stays.
func ExampleSession_SetSubject() {
	m := managerInMemory()
	ctx := context.Background()
	s := m.New()
	cart.Put(s, []Item{{"coat", 1}})
	if err := s.Commit(ctx); err != nil {
		log.Fatal(err)
	}
	before, planted := s.ID(), s.Credential()

	s.SetSubject("alice")
	if err := s.Commit(ctx); err != nil {
		log.Fatal(err)
	}
	items, _ := cart.Get(s)
	fmt.Println(s.Subject(), items)
	fmt.Println("the same ID:", s.ID() == before)
	_, err := m.Load(ctx, planted)
	fmt.Println("the credential from before:", err)

	// Output:
	// alice [{coat 1}]
	// the same ID: false
	// the credential from before: session: renewed under another ID
}

// Where a session gains a right without changing hands, as by a second factor,
// it is renewed: what was shown before opens nothing of it.
func ExampleSession_Renew() {
	const verified session.Key[bool] = "second factor"
	m := managerInMemory()
	ctx := context.Background()
	s := signIn(m, "alice", "")
	old := s.Credential()

	verified.Put(s, true)
	s.Renew()
	if err := s.Commit(ctx); err != nil {
		log.Fatal(err)
	}
	s, err := m.Load(ctx, old)
	_, ok := verified.Get(s)
	fmt.Println(errors.Is(err, session.ErrRenewed), ok)

	// Output: true false
}

// A fingerprint ties a session to what it was begun with. Compared at each
// request, it ends all sessions from before a change of the password, also those
// that no list names any more. Chimw's RequireSubject does this.
func ExampleSession_SetFingerprint() {
	passwordHash := "$2a$10$before"
	s := managerInMemory().New()
	s.SetSubject("alice")
	s.SetFingerprint(passwordHash) // after SetSubject, which drops it
	fmt.Println(s.FingerprintIs(passwordHash))

	passwordHash = "$2a$10$after"
	fmt.Println(s.FingerprintIs(passwordHash))

	// Output:
	// true
	// false
}

// Signing out ends the session itself, wherever it is shown, and not just the
// cookie in one browser.
func ExampleSession_Destroy() {
	m := managerInMemory()
	ctx := context.Background()
	s := signIn(m, "alice", "")
	c := s.Credential()

	s.Destroy()
	fmt.Println("destroyed:", s.Destroyed(), "id:", !s.ID().IsZero())
	if err := s.Commit(ctx); err != nil {
		log.Fatal(err)
	}
	_, err := m.Load(ctx, c)
	fmt.Println(err)

	// Output:
	// destroyed: true id: false
	// session: not found: ended
}
