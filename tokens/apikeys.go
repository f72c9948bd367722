package tokens

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
)

// APIKeys returns a [VerifyFunc] for a fixed list of API keys. The map gives
// each key the name of the client that has it, which decides about the session:
// two keys of one name open the same session, so a client's key can be replaced
// without losing it. An empty name stands for one made of the key's SHA-256.
//
// Only hashes of the keys are kept, and each is compared in constant time, so
// that neither a key nor a part of one can be found out by the time a refusal
// takes. Nothing here makes a short key hard to guess: give each at least 128
// random bits. The error is a [*ConfigError]: for an empty list, or an empty
// key.
func APIKeys(names map[string]string) (VerifyFunc, error) {
	type client struct {
		hash [sha256.Size]byte
		name string
	}
	var (
		errs    []error
		clients = make([]client, 0, len(names))
	)
	if len(names) == 0 {
		errs = append(errs, &ConfigError{Field: "tokens.APIKeys", Reason: "no keys: every client would be refused"})
	}
	for key, name := range names {
		if key == "" {
			errs = append(errs, &ConfigError{Field: "tokens.APIKeys", Reason: "a key is empty"})
		}
		hash := sha256.Sum256([]byte(key))
		if name == "" {
			name = "sha256:" + hex.EncodeToString(hash[:])
		}
		clients = append(clients, client{hash, name})
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	return func(_ context.Context, token string) (name string, ok bool, err error) {
		hash := sha256.Sum256([]byte(token))
		for _, c := range clients { // to the end, whichever matches
			if subtle.ConstantTimeCompare(hash[:], c.hash[:]) == 1 {
				name, ok = c.name, true
			}
		}
		return name, ok, nil
	}, nil
}
