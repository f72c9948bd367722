package tokens

import (
	"bytes"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
)

// The header's bytes around the key ID and the type. This is the order in
// which golang-jwt, and encoding/json for any map, writes them.
const (
	headerBegin  = `{"alg":"HS256","kid":"`
	headerMiddle = `","typ":"`
	headerEnd    = `"}`

	maxHeaderJSON  = len(headerBegin) + maxKeyIDBytes + len(headerMiddle) + maxTypeBytes + len(headerEnd)
	maxHeaderBytes = (maxHeaderJSON*8 + 5) / 6 // in base64url
)

// A ring is an immutable set of keys. Rotation swaps the whole ring.
type ring struct {
	first    *slot
	byHeader map[string]*slot // by the base64url of the header that each key's tokens carry
	tail     []byte           // what follows the key ID in every header
}

// A slot is one key's place in a ring.
type slot struct {
	key Key
	mac *mac
}

// newRing takes keys that keysMistakes let pass.
func newRing(typ string, keys []Key) *ring {
	r := &ring{
		byHeader: make(map[string]*slot, len(keys)),
		tail:     []byte(headerMiddle + typ + headerEnd),
	}
	for _, k := range keys {
		s := &slot{key: k, mac: newMAC(k.secret())}
		r.byHeader[encodeHeader(k.id, typ)] = s
		if r.first == nil {
			r.first = s
		}
	}
	return r
}

func encodeHeader(id, typ string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(headerBegin + id + headerMiddle + typ + headerEnd))
}

// headerPrefix is what the base64url of every header begins with: headerBegin
// up to its last whole group of three bytes.
var headerPrefix = base64.RawURLEncoding.EncodeToString([]byte(headerBegin[:len(headerBegin)/3*3]))

// find returns the slot whose header token begins with, and that header's
// length. It looks at no more of the token than a header may be long, and at
// what is not of our form hardly at all.
func (r *ring) find(token string) (*slot, int, error) {
	if !strings.HasPrefix(token, headerPrefix) {
		return nil, 0, ErrMalformed
	}
	end := strings.IndexByte(token[:min(len(token), maxHeaderBytes+1)], '.')
	if end < 0 {
		return nil, 0, ErrMalformed
	}
	header := token[:end]
	if s := r.byHeader[header]; s != nil {
		return s, end, nil
	}
	if r.isForeignKey(header) {
		return nil, 0, ErrUnknownKey
	}
	return nil, 0, ErrMalformed
}

// isForeignKey reports whether header is, but for the key ID, what this ring
// writes. It compares bytes: nobody's JSON is parsed to find out.
func (r *ring) isForeignKey(header string) bool {
	var buf [maxHeaderJSON]byte
	decoded, ok := decodeBase64(buf[:], header)
	if !ok {
		return false
	}
	id, begins := bytes.CutPrefix(decoded, []byte(headerBegin))
	id, ends := bytes.CutSuffix(id, r.tail)
	return begins && ends && isKeyID(id)
}

// decodeBase64 decodes base64url without padding into dst, which has room for
// it. There is one spelling for any bytes: encoding/base64 in strict mode, but
// without its skipping of line breaks, which leaves fewer bytes than the length
// of s stands for.
func decodeBase64(dst []byte, s string) ([]byte, bool) {
	n, err := strictBase64.Decode(dst, []byte(s))
	return dst[:n], err == nil && strictBase64.EncodedLen(n) == len(s)
}

var strictBase64 = base64.RawURLEncoding.Strict()

// keysMistakes judges a ring's keys. field is where they were given.
func keysMistakes(field string, keys []Key) (errs []error) {
	if len(keys) == 0 {
		errs = append(errs, &ConfigError{Field: field, Reason: "at least one key is required"})
	}
	for i, k := range keys {
		if reason := keyMistake(k, keys[:i]); reason != "" {
			errs = append(errs, &ConfigError{Field: fmt.Sprintf("%s[%d]", field, i), Value: k, Reason: reason})
		}
	}
	return errs
}

// keyMistake says what is wrong with a key that is to stand behind others.
func keyMistake(k Key, before []Key) string {
	if k.isZero() {
		return "the zero Key has no secret; use NewKey, ParseKeys or LoadKeys"
	}
	for _, b := range before {
		if b.id == k.id {
			return "a key before it has the same ID"
		}
		// A new name for a secret is no rotation, though it looks like one.
		if !b.isZero() && subtle.ConstantTimeCompare(b.secret(), k.secret()) == 1 {
			return "a key before it has the same secret"
		}
	}
	return ""
}
