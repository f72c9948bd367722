package session_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/google/uuid"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

// Zero values are right for production. What is set here is what one is most
// likely to want otherwise.
func ExampleNewManager() {
	key := session.GenerateSealKey() // in production: one that all processes share
	m, err := session.NewManager(session.Config{
		Store:       new(memory.Store),
		IdleTimeout: 15 * time.Minute,
		Lifetime:    8 * time.Hour,
		MaxLifetime: 30 * 24 * time.Hour, // for those who ask to be remembered
		SealKeys:    []session.SealKey{key},
	})
	fmt.Println(m.Name(), err)

	// Output: session <nil>
}

// All mistakes are reported at once, each a ConfigError.
func ExampleNewManager_mistakes() {
	_, err := session.NewManager(session.Config{
		Name:        "my shop",
		IdleTimeout: 24 * time.Hour,
		SealKeys:    make([]session.SealKey, 1),
	})
	fmt.Println(err)

	var first *session.ConfigError
	fmt.Println(errors.As(err, &first), first.Field)

	// Output:
	// session.Config.Store: is required
	// session.Config.Name = "my shop": must be 1 to 64 letters, digits, '-' or '_'
	// session.Config.IdleTimeout = 24h0m0s: must be from 1s to MaxLifetime, 12h0m0s
	// session.Config.SealKeys[0]: must not be a zero SealKey
	// true session.Config.Store
}

// What a middleware makes of each answer.
func ExampleManager_Load() {
	m := managerInMemory()
	load := func(c session.Credential) {
		s, err := m.Load(context.Background(), c)
		switch {
		case err == nil:
			fmt.Println("the session of", s.Subject())
		case errors.Is(err, session.ErrRenewed):
			fmt.Println("an old cookie: anonymous, but can sign out, or in again")
		case errors.Is(err, session.ErrNotFound):
			fmt.Println("anonymous: m.New()")
		default: // ErrUnavailable
			fmt.Println("try again later:", err)
		}
	}

	s := signIn(m, "alice", "")
	old := s.Credential()
	load(old)
	s.Renew()
	if err := s.Commit(context.Background()); err != nil {
		log.Fatal(err)
	}
	load(old)
	load(session.Credential{})

	// Output:
	// the session of alice
	// an old cookie: anonymous, but can sign out, or in again
	// anonymous: m.New()
}

// A signed token proves the right to an ID; whoever verified it asks for the
// session by that ID. It opens nothing that was never given a token.
func ExampleManager_LoadVerified() {
	m := managerInMemory()
	ctx := context.Background()
	s := signIn(m, "alice", "")
	_, err := m.LoadVerified(ctx, s.ID())
	fmt.Println(err)

	s.AllowToken() // chimw's IssueToken does so
	if err := s.Commit(ctx); err != nil {
		log.Fatal(err)
	}
	s, err = m.LoadVerified(ctx, s.ID())
	fmt.Println(s.Subject(), err)

	// Output:
	// session: not found: never given a token
	// alice <nil>
}

// Without a signer a token is a credential. It is another door than a cookie's,
// so that a stolen cookie is no token.
func ExampleManager_LoadOpaque() {
	m := managerInMemory()
	ctx := context.Background()
	browser, program := signIn(m, "alice", "browser"), m.New()
	program.AllowToken()
	if err := program.Commit(ctx); err != nil {
		log.Fatal(err)
	}

	_, err := m.LoadOpaque(ctx, program.Credential())
	fmt.Println("a token:", err)
	_, err = m.LoadOpaque(ctx, browser.Credential())
	fmt.Println("a cookie's credential:", err)

	// Output:
	// a token: <nil>
	// a cookie's credential: session: not found: never given a token
}

// The holder of somebody else's token has a session under an ID that is derived
// from his name, from his first request on. See tokens.External for one that
// can't be guessed.
func ExampleManager_LoadExternal() {
	m := managerInMemory()
	const visits session.Key[int] = "visits"
	id := session.ID(uuid.NewHash(sha256.New(), uuid.Nil, []byte("alice"), 8))
	for range 2 {
		s, err := m.LoadExternal(context.Background(), id)
		if err != nil {
			log.Fatal(err)
		}
		n := visits.Update(s, func(n int) int { return n + 1 })
		fmt.Println("visit", n, "stored before:", s.Stored())
		if err := s.Commit(context.Background()); err != nil {
			log.Fatal(err)
		}
	}

	// Output:
	// visit 1 stored before: false
	// visit 2 stored before: true
}

// What happens outside of a manager can be told to the same observer: here a
// middleware of one's own that refuses a client.
func ExampleManager_Report() {
	m, err := session.NewManager(session.Config{
		Store: new(memory.Store),
		Observe: func(_ context.Context, e session.Event) {
			fmt.Printf("%s: %s, %s\n", e.Manager, e.Kind, e.Reason)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	m.Report(context.Background(), session.Event{Kind: session.Rejected, Reason: "too many attempts"})

	// Output: session: rejected, too many attempts
}
