package session

import (
	"encoding/binary"
	"time"
)

// maxTime bounds every time and duration in a record, in milliseconds: the end
// of the year 9999 as a Unix time. Sums of two of them fit an int64.
const maxTime = 253402300799999

// A reader takes a record apart. Its first failure sticks, and everything read
// after it is zero, so that a decoder checks once, at the end.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	head := r.b[:n:n]
	r.b = r.b[n:]
	return head
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) fill(dst []byte) { copy(dst, r.take(len(dst))) }

// uvarint reads a number in its shortest form only: one encoding per record.
func (r *reader) uvarint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 { // as most are
		v := r.b[0]
		r.b = r.b[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(r.b)
	if n <= 0 || n > 1 && r.b[n-1] == 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// bytes reads a length and that many bytes, which alias the input.
func (r *reader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	return r.take(int(n)) //nolint:gosec // at most len(r.b)
}

func (r *reader) millis() int64 {
	v := r.uvarint()
	if v > maxTime {
		r.bad, r.b = true, nil
		return 0
	}
	return int64(v)
}

func appendBytes[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendMillis(b []byte, ms int64) []byte {
	return binary.AppendUvarint(b, uint64(min(max(ms, 0), maxTime)))
}

// fromMillis and toMillis convert between a record's times and Go's.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func toMillis(t time.Time) int64 { return min(max(t.UnixMilli(), 0), maxTime) }
