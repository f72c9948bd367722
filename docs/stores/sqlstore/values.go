package sqlstore

import (
	"crypto/rand"
	"encoding/binary"
	"time"
)

// newVersion draws a version. Random ones need no counter that all processes
// share and that a delete, an expiry or a restored backup could set back: that
// a version returns to the one that some caller still holds has a chance of
// one in 2^63. A counter in the row would begin again with each new row.
func newVersion() int64 {
	var b [8]byte
	rand.Read(b[:])                            // never returns an error
	v := binary.NativeEndian.Uint64(b[:]) >> 1 // database/sql takes no uint64 with its highest bit set
	return int64(max(v, 1))
}

// known returns a version as the database has it. One above MaxInt64, which is
// nobody's, becomes negative, which no row is; database/sql would refuse it.
func known(version uint64) int64 { return int64(version) } //nolint:gosec // see above

// milliseconds rounds up, and adds one because the database's time is rounded,
// too. No ttl overflows: in nanoseconds, 292 years from now would.
func milliseconds(ttl time.Duration) int64 {
	ms := ttl.Milliseconds()
	if ttl%time.Millisecond != 0 {
		ms++
	}
	return ms + 1
}

// owned copies a value, which the driver may read after a call was given up,
// and has no nil, which would be NULL.
func owned(value []byte) []byte { return append([]byte{}, value...) }
