package session_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

// Both ends of a session, for a page that counts down to them.
func ExampleSession_Deadline() {
	s := signIn(managerInMemory(), "alice", "")
	if !s.Stored() {
		log.Fatal("of a session that isn't stored all three times are zero")
	}
	fmt.Println("at the latest", s.Deadline().Sub(s.Created()), "after it began")
	fmt.Println("without activity", s.IdleDeadline().Sub(s.Created()), "after it began")

	// Output:
	// at the latest 12h0m0s after it began
	// without activity 30m0s after it began
}

// "Remember me": this session may last longer, and idle longer, than others. It
// can't last longer than Config.MaxLifetime, which has to leave room for it.
func ExampleSession_ExpireAt() {
	const month = 30 * 24 * time.Hour
	m, err := session.NewManager(session.Config{Store: new(memory.Store), MaxLifetime: month})
	if err != nil {
		log.Fatal(err)
	}
	s := m.New()
	s.SetSubject("alice")
	s.ExpireAt(time.Now().Add(2 * month))
	s.SetIdleTimeout(month / 2)
	if err := s.Commit(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println("at the latest after", s.Deadline().Sub(s.Created()))
	fmt.Println("without activity after", s.IdleDeadline().Sub(s.Created()))

	// Output:
	// at the latest after 720h0m0s
	// without activity after 360h0m0s
}
