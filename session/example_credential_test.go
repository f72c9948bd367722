package session_test

import (
	"encoding/json"
	"fmt"
	"log"

	"github.com/coatcheck/coatcheck/session"
)

// A credential goes to the client and comes back. In between it is printed by
// nothing but Reveal.
func ExampleParseCredential() {
	s := signIn(managerInMemory(), "alice", "")
	value := s.Credential().Reveal() // a cookie's value
	c, err := session.ParseCredential(value)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(value), c.ID() == s.ID(), c.IsZero())
	fmt.Printf("%v %+v %q\n", c, c, []session.Credential{c})

	c, err = session.ParseCredential("made-up") // the error has none of it
	fmt.Println(c.IsZero(), err)

	// Output:
	// 64 true false
	// session.Credential[redacted] session.Credential[redacted] [session.Credential[redacted]]
	// true session: malformed credential
}

// IDs are public: here one from a form, on its way to Manager.Revoke.
func ExampleParseID() {
	id, err := session.ParseID("0b6c3f7e-55f0-4c1d-9d2e-0f5a8c7e6b1a")
	fmt.Println(id, err)

	id, err = session.ParseID("0B6C3F7E-55F0-4C1D-9D2E-0F5A8C7E6B1A")
	fmt.Println(id.IsZero(), err)

	text, err := json.Marshal(map[string]session.ID{"nobody's": {}})
	fmt.Println(string(text), err)

	// Output:
	// 0b6c3f7e-55f0-4c1d-9d2e-0f5a8c7e6b1a <nil>
	// true session: an ID is a UUID in its canonical lower-case form
	// {"nobody's":""} <nil>
}
