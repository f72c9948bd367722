package memory

import (
	"container/heap"
	"container/list"
	"time"
)

// entryBytes is what an entry takes beside its key and value: the struct, its
// places in map, heap and list, and what the allocator rounds up.
const entryBytes = 256

// spared is how long after its last use an entry is not given up for another.
// The longest commit takes a minute (session.Config.CommitTimeout).
const spared = time.Minute

type entry struct {
	key     string
	value   []byte
	version uint64
	expires time.Time
	used    time.Time

	heapIndex int
	place     *list.Element
}

func (e *entry) size() int64 { return int64(len(e.key)+len(e.value)) + entryBytes }

// live returns the entry under key, which is now the one most recently used,
// or nil if there is none or it has expired.
func (s *Store) live(key string, now time.Time) *entry {
	e := s.entries[key]
	if e == nil {
		return nil
	}
	if !now.Before(e.expires) {
		s.remove(e)
		return nil
	}
	e.used = now
	s.used.MoveToFront(e.place)
	return e
}

func (s *Store) insert(e *entry) {
	if s.entries == nil {
		s.entries = make(map[string]*entry)
	}
	e.version = s.nextVersion()
	s.entries[e.key] = e
	s.bytes += e.size()
	heap.Push(&s.soonest, e)
	e.place = s.used.PushFront(e)
}

func (s *Store) replace(e *entry, value []byte, expires time.Time) {
	s.bytes += int64(len(value) - len(e.value))
	e.value, e.version, e.expires = value, s.nextVersion(), expires
	heap.Fix(&s.soonest, e.heapIndex)
}

func (s *Store) remove(e *entry) {
	delete(s.entries, e.key)
	s.bytes -= e.size()
	heap.Remove(&s.soonest, e.heapIndex)
	s.used.Remove(e.place)
}

func (s *Store) nextVersion() uint64 {
	s.version++
	return s.version
}

// expire removes up to n entries that have expired, the oldest first.
func (s *Store) expire(now time.Time, n int) {
	for ; n > 0 && len(s.soonest) > 0 && !now.Before(s.soonest[0].expires); n-- {
		s.remove(s.soonest[0])
	}
}

// makeRoom gives up entries until n more bytes fit in, and reports whether they
// do. An entry that the caller just looked up was used now, so it is safe.
func (s *Store) makeRoom(n int64, now time.Time) bool {
	limit := s.limit()
	if s.bytes+n > limit {
		s.expire(now, len(s.soonest))
	}
	for s.bytes+n > limit {
		last := s.used.Back()
		if last == nil {
			return false
		}
		unused := last.Value.(*entry)
		if now.Sub(unused.used) < spared {
			return false
		}
		s.remove(unused)
	}
	return true
}

// expiries is a heap.Interface with the entry that expires first on top.
type expiries []*entry

func (x expiries) Len() int           { return len(x) }
func (x expiries) Less(i, j int) bool { return x[i].expires.Before(x[j].expires) }

func (x expiries) Swap(i, j int) {
	x[i], x[j] = x[j], x[i]
	x[i].heapIndex, x[j].heapIndex = i, j
}

func (x *expiries) Push(e any) {
	e.(*entry).heapIndex = len(*x)
	*x = append(*x, e.(*entry))
}

func (x *expiries) Pop() any {
	old := *x
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*x = old[:len(old)-1]
	return e
}
