package main

import (
	"errors"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/tokens"
)

// keyring is every key that the server needs, all made from COATCHECK_KEYS.
type keyring struct {
	sign     []tokens.Key
	seal     []session.SealKey // in the same order, so that they are rotated together
	external tokens.Key
}

// parseKeys returns the keys that the configuration names, or a random one.
//
// The key for external sessions decides about their IDs, and there can be no
// second one to fall back to. Every place in the list changes hands during a
// rotation; the first does so only once. Whoever can't have even that sets a
// key of its own.
func parseKeys(cfg config) (ring keyring, err error) {
	ring.sign = []tokens.Key{tokens.GenerateKey()}
	if cfg.keys != "" {
		if ring.sign, err = tokens.ParseKeys(cfg.keys); err != nil {
			return keyring{}, under(envKeys, err)
		}
	}
	for _, key := range ring.sign {
		sealKey, err := session.NewSealKey(key.Derive("example: seal sessions"))
		if err != nil {
			return keyring{}, under(envKeys, err)
		}
		ring.seal = append(ring.seal, sealKey)
	}
	ring.external, err = parseExternalKey(cfg.externalKey, ring.sign[0])
	return ring, err
}

func parseExternalKey(text string, fallback tokens.Key) (tokens.Key, error) {
	if text == "" {
		return fallback, nil
	}
	keys, err := tokens.ParseKeys(text)
	if err == nil && len(keys) > 1 {
		err = errors.New("takes one key only")
	}
	if err != nil {
		return tokens.Key{}, under(envExternalKey, err)
	}
	return keys[0], nil
}
