package session_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/coatcheck/coatcheck/session"
)

// What a handler may commit by itself, because its answer depends on it. One that
// doesn't leaves it to the middleware.
func ExampleSession_Commit() {
	const stock session.Key[int] = "reserved"
	m := managerInMemory()
	ctx := context.Background()
	c := signIn(m, "alice", "").Credential()
	here, err1 := m.Load(ctx, c)
	there, err2 := m.Load(ctx, c)
	if err1 != nil || err2 != nil {
		log.Fatal(err1, err2)
	}
	there.Destroy() // she signs out in another tab
	if err := there.Commit(ctx); err != nil {
		log.Fatal(err)
	}

	stock.Update(here, func(n int) int { return n + 1 })
	switch err := here.Commit(ctx); {
	case err == nil:
		fmt.Println("reserved")
	case errors.Is(err, session.ErrGone):
		fmt.Println("409: signed out meanwhile, nothing was written")
	case errors.Is(err, session.ErrUnavailable):
		fmt.Println("503: perhaps written, perhaps not")
	default:
		fmt.Println("500:", err)
	}

	// Output: 409: signed out meanwhile, nothing was written
}

// A value without a JSON form is found out by Commit, which names its key.
func ExampleSession_Commit_unencodable() {
	const callback session.Key[func()] = "callback"
	s := managerInMemory().New()
	callback.Put(s, func() {})
	fmt.Println(s.Commit(context.Background()))

	// Output: session: key "callback": json: unsupported type: func()
}

// Once a response has begun, its client can't be given a cookie any more.
func ExampleSession_CommitInPlace() {
	const page session.Key[int] = "page"
	m := managerInMemory()
	ctx := context.Background()

	s := m.New() // not stored yet: it would need a cookie
	page.Put(s, 1)
	fmt.Println(s.CommitInPlace(ctx))

	s = signIn(m, "alice", "")
	page.Put(s, 1)
	fmt.Println(s.CommitInPlace(ctx))

	// Output:
	// session: too late for a new credential
	// <nil>
}
