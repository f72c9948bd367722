package session

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

const (
	sealKeyBytes = 32
	nonceBytes   = 16 // of a sealed credential's secret: the random half
)

// A SealKey encrypts and authenticates what a manager stores, and
// authenticates the credentials it issues. The zero SealKey is refused.
//
// A SealKey can be copied and shared; it is immutable. It redacts itself in
// every fmt verb, in JSON and in slog; only Reveal shows it.
type SealKey struct{ k hidden[[sealKeyBytes]byte] }

// NewSealKey makes a key of 32 bytes, which it copies, and which must be as good
// as random: drawn by GenerateSealKey, or derived from such by a key derivation
// function. Any other number of bytes is a [*ConfigError], which shows none.
func NewSealKey(b []byte) (SealKey, error) {
	if len(b) != sealKeyBytes {
		reason := fmt.Sprintf("has %d bytes, and needs 32, as tokens.Key.Derive makes them", len(b))
		return SealKey{}, &ConfigError{"session.SealKey", nil, reason}
	}
	k := [sealKeyBytes]byte(b)
	return SealKey{hide(&k)}, nil
}

// GenerateSealKey draws a random key. What one process seals by it no other can
// open, unless it is given the key: to be made once, and kept.
func GenerateSealKey() SealKey {
	k := new([sealKeyBytes]byte)
	rand.Read(k[:]) // ends the program if it fails
	return SealKey{hide(k)}
}

// Reveal returns a copy of the key's bytes, to be kept as a secret. It is nil
// for the zero SealKey.
func (k SealKey) Reveal() []byte {
	if k.k.get() == nil {
		return nil
	}
	return append([]byte(nil), k.k.get()[:]...)
}

// sealer is one key as one manager uses it. The manager's name is in everything
// derived, so that managers that share a key share nothing else.
type sealer struct {
	records  *prf // HKDF's pseudorandom key: each session's own comes out of it
	secrets  *prf // authenticates credentials
	subjects *prf // hides subjects in store keys
}

func newSealer(k SealKey, name string) (*sealer, error) {
	prk, err := hkdf.Extract(sha256.New, k.k.get()[:], []byte("coatcheck/v1"))
	if err != nil {
		return nil, err
	}
	records, err1 := hkdf.Expand(sha256.New, prk, "records of "+name, sha256.Size)
	secrets, err2 := hkdf.Expand(sha256.New, prk, "credentials of "+name, sha256.Size)
	subjects, err3 := hkdf.Expand(sha256.New, prk, "subjects of "+name, sha256.Size)
	return &sealer{newPRF(records), newPRF(secrets), newPRF(subjects)}, errors.Join(err1, err2, err3)
}

// aead is a store key's own AES-256-GCM, with a random nonce for each value.
func (s *sealer) aead(storeKey string) (cipher.AEAD, error) {
	var info [maxStoreKeyBytes]byte
	key := s.records.expand(append(info[:0], storeKey...))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (s *sealer) tag(v *credential) [secretBytes - nonceBytes]byte {
	sum := s.secrets.sum(v.id[:], v.secret[:nonceBytes])
	return [secretBytes - nonceBytes]byte(sum[:])
}

// authenticate replaces the second half of a fresh secret by a tag over the
// first, which a manager can check before it asks the store.
func (s *sealer) authenticate(c Credential) {
	v := c.c.get()
	tag := s.tag(v)
	copy(v.secret[nonceBytes:], tag[:])
}

func (s *sealer) issued(c Credential) bool {
	v := c.c.get()
	tag := s.tag(v)
	return subtle.ConstantTimeCompare(tag[:], v.secret[nonceBytes:]) == 1
}

// Envelopes: the first byte of every stored value.
const (
	envelopePlain  byte = 1
	envelopeSealed byte = 2
)

var (
	errEnvelope = errors.New("unknown envelope")
	errChecksum = errors.New("wrong checksum")
	errUnsealed = errors.New("not sealed")
	errSealed   = errors.New("sealed by an unknown key, or tampered with")
)

// sealers is a ring: the first seals, all open. Without any, values are plain.
type sealers []*sealer

func (ring sealers) seal(storeKey string, body []byte) ([]byte, error) {
	if len(ring) == 0 {
		out := make([]byte, 0, 1+len(body)+crc32.Size)
		out = append(append(out, envelopePlain), body...)
		return binary.BigEndian.AppendUint32(out, crc32.Checksum(body, castagnoli)), nil
	}
	gcm, err := ring[0].aead(storeKey)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 1, 1+gcm.Overhead()+len(body))
	out[0] = envelopeSealed
	return gcm.Seal(out, nil, body, []byte(storeKey)), nil
}

// overhead is how many bytes seal adds.
func (ring sealers) overhead() int {
	if len(ring) == 0 {
		return 1 + crc32.Size
	}
	return 1 + 12 + 16 // envelope, nonce, tag
}

func (ring sealers) open(storeKey string, value []byte) ([]byte, error) {
	if len(value) == 0 {
		return nil, errEnvelope
	}
	switch value[0] {
	case envelopePlain:
		if len(ring) > 0 {
			return nil, errUnsealed // whoever can write to the store could have written it
		}
		return plain(value[1:])
	case envelopeSealed:
		for _, s := range ring {
			gcm, err := s.aead(storeKey)
			if err != nil {
				return nil, err
			}
			if body, err := gcm.Open(nil, nil, value[1:], []byte(storeKey)); err == nil {
				return body, nil
			}
		}
		return nil, errSealed
	default:
		return nil, errEnvelope
	}
}

// castagnoli is the checksum that guards plain values against accidents: cut
// short, a record might pass for one that holds less. It stops no attacker.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func plain(value []byte) ([]byte, error) {
	n := len(value) - crc32.Size
	if n < 0 || crc32.Checksum(value[:n], castagnoli) != binary.BigEndian.Uint32(value[n:]) {
		return nil, errChecksum
	}
	return value[:n], nil
}

// issued reports whether a credential can be one of this ring's; without a ring
// the store has to be asked.
func (ring sealers) issued(c Credential) bool {
	if len(ring) == 0 {
		return true
	}
	for _, s := range ring {
		if s.issued(c) {
			return true
		}
	}
	return false
}
