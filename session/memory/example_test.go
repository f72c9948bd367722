package memory_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

// The zero value works. This is all that a program has to do with a store.
func ExampleStore() {
	store := new(memory.Store) // or &memory.Store{MaxBytes: 256 << 20}
	manager, err := session.NewManager(session.Config{Store: store})
	if err != nil {
		log.Fatal(err)
	}
	s := manager.New()
	s.SetSubject("alice")
	if err := s.Commit(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(store.Len(), "entries: the session, and the list of her sessions")
	// Output: 2 entries: the session, and the list of her sessions
}

// What a manager asks of it: a write is of the version that was read, or fails.
func ExampleStore_Update() {
	var store memory.Store
	ctx := context.Background()
	if err := store.Create(ctx, "greeting", []byte("hello"), time.Minute); err != nil {
		log.Fatal(err)
	}
	value, version, err := store.Get(ctx, "greeting")
	fmt.Printf("%s %v\n", value, err)
	fmt.Println(store.Update(ctx, "greeting", []byte("good morning"), version, time.Minute))
	fmt.Println(store.Update(ctx, "greeting", []byte("good evening"), version, time.Minute))
	// Output:
	// hello <nil>
	// <nil>
	// session: version conflict
}
