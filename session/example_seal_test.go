package session_test

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

// Drawn once, kept as a secret, and given to every process.
func ExampleGenerateSealKey() {
	key := session.GenerateSealKey()
	kept := base64.StdEncoding.EncodeToString(key.Reveal()) // to a secret store
	fmt.Println(key)

	b, err := base64.StdEncoding.DecodeString(kept)
	if err != nil {
		log.Fatal(err)
	}
	again, err := session.NewSealKey(b)
	fmt.Println(string(again.Reveal()) == string(key.Reveal()), err)

	// Output:
	// session.SealKey[redacted]
	// true <nil>
}

// A key that is derived from a master key needs no place of its own. A
// tokens.Key does the same by its method Derive.
func ExampleNewSealKey() {
	master := make([]byte, 32) // in production: read from a secret store
	b, err := hkdf.Key(sha256.New, master, nil, "seal sessions", 32)
	if err != nil {
		log.Fatal(err)
	}
	_, err = session.NewSealKey(b)
	fmt.Println(err)

	_, err = session.NewSealKey([]byte("a password is no key"))
	fmt.Println(err)

	// Output:
	// <nil>
	// session.SealKey: has 20 bytes, and needs 32, as tokens.Key.Derive makes them
}

// To change the key, every process is first given the new one behind the old
// one, then before it, and at last alone. No step ends a session that was
// written a step before.
func ExampleSealKey() {
	older, newer := session.GenerateSealKey(), session.GenerateSealKey()
	store, ctx := new(memory.Store), context.Background()
	var c session.Credential
	for _, keys := range [][]session.SealKey{{older}, {older, newer}, {newer, older}, {newer}} {
		m, err := session.NewManager(session.Config{Store: store, SealKeys: keys, Observe: unseen})
		if err != nil {
			log.Fatal(err)
		}
		_, err = m.Load(ctx, c)
		fmt.Println(len(keys), "keys:", err)
		c = signIn(m, "alice", "").Credential()
	}

	// Output:
	// 1 keys: session: not found
	// 2 keys: <nil>
	// 2 keys: <nil>
	// 1 keys: <nil>
}
