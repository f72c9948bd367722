package migrating

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// note is the record of one takeover: when it was, and the new cookie.
type note struct {
	key  string // in the store
	aead cipher.AEAD
}

// note returns the note of an old session. Its place is known to whoever knows
// the old secret; what it says only to whoever knows Config.Key besides.
func (b *Bridge) note(old [sha256.Size]byte) (*note, error) {
	place := sha256.Sum256(append([]byte("coatcheck/v1/migrated"), old[:]...))
	mac := hmac.New(sha256.New, b.key)
	mac.Write(old[:])
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	key := b.cfg.Manager.Name() + ":migrated:" + base64.RawURLEncoding.EncodeToString(place[:])
	return &note{key, aead}, err
}

func (n *note) seal(cookie string) []byte {
	text := binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixMilli()))
	return n.aead.Seal(nil, nil, append(text, cookie...), []byte(n.key))
}

func (n *note) open(value []byte) (taken time.Time, cookie string, ok bool) {
	text, err := n.aead.Open(nil, nil, value, []byte(n.key))
	if err != nil || len(text) < 8 {
		return time.Time{}, "", false
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(text))), string(text[8:]), true //nolint:gosec // as sealed
}

// recall returns the new cookie if a session was taken over just now, and "" if
// that was before: what comes then may be somebody's who stole the old cookie,
// or the client's own after a logout. A note that can't be opened says as much.
// It returns session.ErrNotFound if the session was never taken over.
func (b *Bridge) recall(ctx context.Context, n *note) (string, error) {
	value, _, err := b.cfg.Store.Get(ctx, n.key)
	if err != nil {
		return "", err
	}
	taken, cookie, ok := n.open(value)
	if !ok || time.Since(taken) > b.cfg.Grace {
		b.report(ctx, session.Rejected, "old session taken over before", nil)
		return "", nil
	}
	return cookie, nil
}
