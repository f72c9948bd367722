package session

import (
	"context"
	"time"
)

// A Store keeps versioned bytes under a key, each with a time to live.
//
// A [Manager] needs no more than the first three calls; Delete is for whoever
// tidies up beside it. None of them writes blindly: Create adds where nothing is,
// Update replaces only the version that its caller read. storetest.Run checks an implementation against every rule
// stated here.
//
// Keys are 1 to 250 bytes of printable ASCII without a space. Values are at
// most what the store can hold; they are opaque. A Store MUST NOT keep or
// change a slice it was given after the call returned, and a slice it returns
// belongs to the caller.
//
// Versions are between 1 and [math.MaxInt64] and MUST never repeat for a key,
// not even after a Delete or an expiry, unless the whole store was emptied.
// Every successful Create or Update gives the entry a new one.
//
// A ttl is always positive: after it has passed, counted from the call, the
// entry MUST be absent to every method. A store that counts in coarser units
// rounds up, never down and never to "for ever".
//
// An error other than the ones named with a method means that the outcome is
// unknown: the call may have been applied, or may still be applied later. An
// implementation MUST NOT report ErrConflict, ErrExists, ErrNotFound or
// ErrTooLarge unless it is certain that the call changed nothing, and MUST NOT
// retry Update by itself after it had no answer: the retry would meet its own
// first attempt and report a conflict.
//
// Methods MUST return promptly, with ctx's error, once ctx is done, and MUST be
// safe for concurrent use.
type Store interface {
	// Get returns the value under key and its version.
	// It returns ErrNotFound if there is none.
	Get(ctx context.Context, key string) (value []byte, version uint64, err error)

	// Create stores value under key, where nothing may be.
	// It returns ErrExists if something is, and ErrTooLarge if value can
	// never be stored. An expired entry counts as nothing.
	Create(ctx context.Context, key string, value []byte, ttl time.Duration) error

	// Update replaces the value under key if it still has this version.
	// It returns ErrConflict if the version is another, ErrNotFound if there
	// is nothing under key, and ErrTooLarge if value can never be stored; the
	// stored value is then as it was.
	Update(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error

	// Delete removes the value under key. That there is none is not an error.
	Delete(ctx context.Context, key string) error
}

// Availability may be implemented by a [Store] that is spread over several
// nodes. The manager then places new sessions where they can be kept, and fails
// with ErrUnavailable rather than place one elsewhere.
type Availability interface {
	// Available reports whether key may be given to a new entry: it can be
	// reached, as far as is known, and will be looked for there. It MUST NOT
	// block.
	Available(key string) bool
}

// ValueLimit may be implemented by a [Store] to tell beforehand how large a
// value it takes. A renewal asks before it gives up the old session.
type ValueLimit interface {
	// MaxValueBytes returns the largest value, in bytes, that can be stored
	// under key. It MUST NOT block.
	MaxValueBytes(key string) int
}
