package session_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/coatcheck/coatcheck/session"
)

// "Your devices". An error doesn't mean that there is nothing: what could be
// read is returned with it.
func ExampleManager_List() {
	m := managerInMemory()
	s := signIn(m, "alice", "Firefox on Linux")

	devices, err := m.List(context.Background(), s.Subject())
	if err != nil {
		log.Print("not all of them: ", err)
	}
	for _, d := range devices {
		fmt.Println(d.Label, "this one:", d.ID == s.ID(), "by token:", d.Token)
	}

	// Output: Firefox on Linux this one: true by token: false
}

// "Sign out there". The subject goes with the IDs, so that an ID that came from
// a form can't be of somebody else's session.
func ExampleManager_Revoke() {
	m := managerInMemory()
	ctx := context.Background()
	alice, bob := signIn(m, "alice", ""), signIn(m, "bob", "")
	fmt.Println(m.Revoke(ctx, "alice", alice.ID()))

	err := m.Revoke(ctx, "alice", bob.ID())
	fmt.Println(errors.Is(err, session.ErrNotFound))

	// Output:
	// <nil>
	// true
}

// "Sign out everywhere else", by a handler.
func ExampleManager_RevokeAll() {
	m := managerInMemory()
	ctx := context.Background()
	s := signIn(m, "alice", "here")
	signIn(m, "alice", "at work")
	signIn(m, "alice", "on the phone")

	if err := s.Manager().RevokeAll(ctx, s.Subject(), s.ID()); err != nil {
		log.Print(err) // names the sessions that could not be reached
	}
	left, err := m.List(ctx, "alice")
	fmt.Println(len(left), left[0].Label, err)

	// Output: 1 here <nil>
}

// What the owner sees in the list is for the application to say: a header's
// text, as here, has to be cut to what is allowed.
func ExampleSession_SetLabel() {
	userAgent := "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
	s := managerInMemory().New()
	s.SetSubject("alice")
	s.SetLabel(userAgent[:min(len(userAgent), 255)])
	fmt.Println(s.Commit(context.Background()))

	// Output: <nil>
}

// Which sessions were not ended, and why: each has an error of its own.
func ExampleIDError() {
	m := managerInMemory()
	alice, bob := signIn(m, "alice", "at work"), signIn(m, "bob", "")
	err := m.Revoke(context.Background(), "alice", alice.ID(), bob.ID())

	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		for _, err := range joined.Unwrap() {
			var of *session.IDError
			if errors.As(err, &of) {
				fmt.Println("bob's:", of.ID == bob.ID(), "not alice's:", errors.Is(of, session.ErrNotFound))
			}
		}
	}

	// Output: bob's: true not alice's: true
}
