package session_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

// readOnly stands before a store and refuses to write: while one copies what is
// in it, say. What it embeds has the other methods.
type readOnly struct{ session.Store }

var errReadOnly = errors.New("read-only for maintenance")

func (readOnly) Create(context.Context, string, []byte, time.Duration) error { return errReadOnly }

func (readOnly) Update(context.Context, string, []byte, uint64, time.Duration) error {
	return errReadOnly
}

func (readOnly) Delete(context.Context, string) error { return errReadOnly }

// An error of a store's own is ErrUnavailable for whoever commits, and wrapped
// by it. Whole stores are checked by package storetest.
func ExampleStore() {
	m, err := session.NewManager(session.Config{Store: readOnly{new(memory.Store)}, Observe: unseen})
	if err != nil {
		log.Fatal(err)
	}
	s := m.New()
	s.SetSubject("alice")
	err = s.Commit(context.Background())
	fmt.Println(errors.Is(err, session.ErrUnavailable), errors.Is(err, errReadOnly))

	// Output: true true
}
