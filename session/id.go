package session

import (
	"errors"

	"github.com/google/uuid"
)

// An ID names a session: it is the opaque key into the store. It is public. It
// may be logged, listed and used to revoke, and knowing it proves nothing.
//
// IDs that a [Manager] draws are random UUIDs (version 4); IDs of external
// sessions are derived ones (version 8). The zero ID names no session. An ID is
// a value: compare and copy it freely.
type ID uuid.UUID

var errID = errors.New("session: an ID is a UUID in its canonical lower-case form")

// ParseID reads the one form that [ID.String] writes, and gives an error, which
// doesn't quote the input, for every other.
func ParseID(s string) (ID, error) {
	u, err := uuid.Parse(s)
	// uuid.Parse also takes braces, a URN prefix, upper case and no dashes: one
	// spelling per ID keeps whatever compares them as text right.
	if err != nil || u.String() != s {
		return ID{}, errID
	}
	return ID(u), nil
}

// String returns the ID as a UUID in its canonical form.
func (id ID) String() string { return uuid.UUID(id).String() }

// IsZero reports whether the ID names no session.
func (id ID) IsZero() bool { return id == ID{} }

// MarshalText returns the canonical form, and nothing for the zero ID. The error
// is always nil.
func (id ID) MarshalText() ([]byte, error) {
	if id.IsZero() {
		return nil, nil
	}
	return []byte(id.String()), nil
}

// UnmarshalText is the inverse of MarshalText. With an error, which is
// ParseID's, the ID is zero.
func (id *ID) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*id = ID{}
		return nil
	}
	*id, err = ParseID(string(text))
	return err
}

// newID draws a random ID. It never fails: crypto/rand ends the program rather
// than return predictable bytes.
func newID() ID { return ID(uuid.New()) }

func (id ID) isRandom() bool   { return id.is(4) }
func (id ID) isExternal() bool { return id.is(8) }

func (id ID) is(version uuid.Version) bool {
	u := uuid.UUID(id)
	return u.Version() == version && u.Variant() == uuid.RFC4122
}
