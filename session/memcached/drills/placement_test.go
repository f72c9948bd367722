package drills_test

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash/fnv"

	"github.com/coatcheck/coatcheck/session"
)

// owner is the node that has a key, by the rule that package memcached gives
// ("Placement"), written down a second time: a drill must know where a session
// lies without asking the code that it examines.
func owner(names []string, key string) string {
	var best string
	var highest uint64
	for _, name := range names {
		if score := finalize(fnv1a(key) ^ finalize(fnv1a(name))); best == "" || score > highest {
			best, highest = name, score
		}
	}
	return best
}

func fnv1a(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

func finalize(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// recordKey and indexKey are where docs/formats.md says that a session and the
// list of a subject's sessions lie.
func recordKey(id session.ID) string {
	return managerName + ":" + base64.RawURLEncoding.EncodeToString(id[:])
}

func indexKey(k session.SealKey, subject string) string {
	hash := hmac.New(sha256.New, derived(k, "subjects of "+managerName))
	hash.Write([]byte(subject))
	return managerName + ":subject:" + base64.RawURLEncoding.EncodeToString(hash.Sum(nil))
}

func derived(k session.SealKey, info string) []byte {
	secret, err := hkdf.Extract(sha256.New, k.Reveal(), []byte("coatcheck/v1"))
	if err != nil {
		return nil
	}
	key, err := hkdf.Expand(sha256.New, secret, info, sha256.Size)
	if err != nil {
		return nil
	}
	return key
}
