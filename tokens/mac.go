package tokens

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// signatureBytes is the length of an HMAC-SHA256 in base64url without padding.
const signatureBytes = (sha256.Size*8 + 5) / 6

// A mac verifies signatures made with one key. It keeps the hashes it has used,
// because a reset one has the key worked in already and costs no allocation.
type mac struct {
	pool sync.Pool // of *macState
}

type macState struct {
	hash  hash.Hash
	input [MaxTokenBytes]byte // a string can't be given to a hash.Hash without an allocation
	want  [sha256.Size]byte
	got   [sha256.Size]byte
}

func newMAC(secret []byte) *mac {
	return &mac{pool: sync.Pool{New: func() any {
		return &macState{hash: hmac.New(sha256.New, secret)}
	}}}
}

// verify reports whether signature, which has signatureBytes, is the canonical
// base64url of the HMAC of signed, which is shorter than MaxTokenBytes. The time
// it takes depends on lengths and on the signature's alphabet only.
func (m *mac) verify(signed, signature string) bool {
	s := m.pool.Get().(*macState)
	defer m.pool.Put(s)
	got, ok := decodeBase64(s.got[:], signature)
	if !ok {
		return false
	}
	s.hash.Reset()
	s.hash.Write(s.input[:copy(s.input[:], signed)])
	return hmac.Equal(got, s.hash.Sum(s.want[:0]))
}
