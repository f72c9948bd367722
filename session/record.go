package session

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"time"
)

// What lies under a session's key, before sealing, begins with its kind.
// docs/formats.md describes each byte; the formats are frozen.
const (
	kindRecord byte = 1
	kindMarker byte = 2
	kindIndex  byte = 3
)

// mark is drawn by every commit and kept in the record it writes, so that a
// commit whose answer was lost can recognise itself.
type mark [8]byte

// life is drawn when a session begins and kept through its renewals.
type life [8]byte

func newMark() (m mark) { rand.Read(m[:]); return m }
func newLife() (l life) { rand.Read(l[:]); return l }

type digest = [sha256.Size]byte

const (
	flagToken       byte = 1 << 0 // a token may open it
	flagFingerprint byte = 1 << 1
)

// record is a live session as it is stored. Times are Unix milliseconds.
type record struct {
	id       ID
	secret   digest // of the secret, never the secret
	life     life
	mark     mark
	token    bool
	created  int64 // when this life began
	seen     int64 // when it was last written
	deadline int64 // the absolute end
	idleEnd  int64 // the end unless there is activity
	idle     int64 // this session's own idle timeout; 0: the manager's
	subject  string
	print    *digest // of the fingerprint that came with the subject
	label    string
	values   section
}

// expiry is when the session is dead, unless there is activity.
func (r *record) expiry() int64 { return min(r.deadline, r.idleEnd) }

func (r *record) dead(now int64) bool { return now >= r.expiry() }

// touch records activity. It never moves the end of idling nearer: clocks of
// two machines differ, and the one behind must not cut short what the other gave.
func (r *record) touch(now int64, idle time.Duration) {
	r.seen = max(now, r.created)
	r.idleEnd = max(r.idleEnd, now+idle.Milliseconds())
}

func (r *record) encode() []byte {
	b := make([]byte, 0, 128+len(r.subject)+len(r.label)+len(r.values))
	b = append(b, kindRecord, r.flags())
	b = append(b, r.id[:]...)
	b = append(b, r.secret[:]...)
	b = append(b, r.life[:]...)
	b = append(b, r.mark[:]...)
	b = appendMillis(b, r.created)
	b = appendMillis(b, r.seen-r.created)
	b = appendMillis(b, r.deadline-r.created)
	b = appendMillis(b, r.idleEnd-r.created)
	b = appendMillis(b, r.idle)
	b = appendBytes(b, r.subject)
	if r.print != nil {
		b = append(b, r.print[:]...)
	}
	b = appendBytes(b, r.label)
	return append(b, r.values...)
}

func (r *record) flags() (f byte) {
	if r.token {
		f |= flagToken
	}
	if r.print != nil {
		f |= flagFingerprint
	}
	return f
}

var errRecord = errors.New("record out of form")

// decodeRecord reads the body of a record, after its kind. What it returns
// aliases b.
func decodeRecord(b []byte) (*record, error) {
	r, rec := reader{b: b}, new(record)
	flags := r.byte()
	r.fill(rec.id[:])
	r.fill(rec.secret[:])
	r.fill(rec.life[:])
	r.fill(rec.mark[:])
	rec.created = r.millis()
	rec.seen = rec.created + r.millis()
	rec.deadline = rec.created + r.millis()
	rec.idleEnd = rec.created + r.millis()
	rec.idle = r.millis()
	rec.subject = string(r.bytes())
	if flags&flagFingerprint != 0 {
		rec.print = new(digest)
		r.fill(rec.print[:])
	}
	rec.label = string(r.bytes())
	rec.token = flags&flagToken != 0
	rec.values = section(r.b)
	if r.bad || flags != rec.flags() || rec.values.check() != nil {
		return nil, errRecord
	}
	return rec, nil
}

// marker is what a session leaves in its place when it is renewed or ends: no
// commit that is still on its way can write over it.
type marker struct {
	id        ID
	successor ID     // zero: the session ended
	secret    digest // of the session that was
	subject   digest // of whom the successor belongs to, or of whom the session did
	life      life   // of the successor, or of the session that ended
}

const flagSuccessor byte = 1 << 0

func (m *marker) encode() []byte {
	b := make([]byte, 0, 128)
	var flags byte
	if !m.successor.IsZero() {
		flags |= flagSuccessor
	}
	b = append(b, kindMarker, flags)
	b = append(b, m.id[:]...)
	b = append(b, m.secret[:]...)
	b = append(b, m.subject[:]...)
	b = append(b, m.life[:]...)
	if flags&flagSuccessor != 0 {
		b = append(b, m.successor[:]...)
	}
	return b
}

func decodeMarker(b []byte) (*marker, error) {
	r, m := reader{b: b}, new(marker)
	flags := r.byte()
	r.fill(m.id[:])
	r.fill(m.secret[:])
	r.fill(m.subject[:])
	r.fill(m.life[:])
	if flags&flagSuccessor != 0 {
		r.fill(m.successor[:])
	}
	if r.bad || len(r.b) > 0 || flags&^flagSuccessor != 0 || m.successor.IsZero() != (flags == 0) {
		return nil, errRecord
	}
	return m, nil
}

// entry is what a session's key holds: exactly one of the two.
type entry struct {
	record *record
	marker *marker
}

func decodeEntry(body []byte) (entry, error) {
	if len(body) == 0 {
		return entry{}, errRecord
	}
	switch body[0] {
	case kindRecord:
		r, err := decodeRecord(body[1:])
		return entry{record: r}, err
	case kindMarker:
		m, err := decodeMarker(body[1:])
		return entry{marker: m}, err
	default:
		return entry{}, errRecord
	}
}

func (e entry) id() ID {
	if e.record != nil {
		return e.record.id
	}
	return e.marker.id
}
