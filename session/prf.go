package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// prf is HMAC-SHA256 under one key. It keeps the hashes it has used: a reset
// one has the key worked in already and costs no memory.
type prf struct{ pool sync.Pool }

type prfState struct {
	hash hash.Hash
	in   []byte // what goes through an interface would be allocated for each call
	out  [sha256.Size]byte
}

func newPRF(key []byte) *prf {
	return &prf{sync.Pool{New: func() any { return &prfState{hash: hmac.New(sha256.New, key)} }}}
}

func (p *prf) sum(parts ...[]byte) [sha256.Size]byte {
	s := p.pool.Get().(*prfState)
	defer p.pool.Put(s)
	s.in = s.in[:0]
	for _, part := range parts {
		s.in = append(s.in, part...)
	}
	s.hash.Reset()
	s.hash.Write(s.in)
	s.hash.Sum(s.out[:0])
	return s.out
}

// expand is HKDF-Expand (RFC 5869 2.3) to one block, for a pseudorandom key.
func (p *prf) expand(info []byte) [sha256.Size]byte { return p.sum(info, []byte{1}) }
