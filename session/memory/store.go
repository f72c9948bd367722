package memory

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

const (
	// DefaultMaxBytes is how much a Store holds if it is not told otherwise.
	DefaultMaxBytes = 64 << 20

	// maxValueBytes is a little less than what memcached takes in its default
	// configuration: what works here then works there.
	maxValueBytes = 1<<20 - 512
)

var (
	errFull = errors.New("memory: full of entries that were used within the last minute")
	errKey  = errors.New("memory: a key is 1 to 250 bytes of printable ASCII without a space")
	errTTL  = errors.New("memory: a ttl must be positive")
)

// A Store is a [session.Store] in memory, limited in size. Its zero value is
// empty and ready for use. Its methods are safe for concurrent use; it must not
// be copied after the first of them was called.
type Store struct {
	// MaxBytes limits the keys and values held, each entry counted with
	// another 256 bytes for what surrounds it. Zero and below mean
	// DefaultMaxBytes. It must not be changed after the first use.
	MaxBytes int64

	mu      sync.Mutex
	entries map[string]*entry
	soonest expiries  // all entries
	used    list.List // of *entry, all of them, the last one used in front
	bytes   int64     // the sum of their sizes
	version uint64    // the last one given to any entry, so that none repeats
}

var (
	_ session.Store      = (*Store)(nil)
	_ session.ValueLimit = (*Store)(nil)
)

// Get implements [session.Store].
func (s *Store) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	now, err := s.begin(ctx, key)
	if err != nil {
		return nil, 0, err
	}
	defer s.mu.Unlock()
	e := s.live(key, now)
	if e == nil {
		return nil, 0, session.ErrNotFound
	}
	return bytes.Clone(e.value), e.version, nil
}

// Create implements [session.Store].
func (s *Store) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := s.acceptable(key, value, ttl); err != nil {
		return err
	}
	now, err := s.begin(ctx, key)
	if err != nil {
		return err
	}
	defer s.mu.Unlock()
	if s.live(key, now) != nil {
		return session.ErrExists
	}
	e := &entry{key: key, value: bytes.Clone(value), expires: now.Add(ttl), used: now}
	if !s.makeRoom(e.size(), now) {
		return errFull
	}
	s.insert(e)
	return nil
}

// Update implements [session.Store].
func (s *Store) Update(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
	if err := s.acceptable(key, value, ttl); err != nil {
		return err
	}
	now, err := s.begin(ctx, key)
	if err != nil {
		return err
	}
	defer s.mu.Unlock()
	e := s.live(key, now)
	if e == nil {
		return session.ErrNotFound
	}
	if e.version != version {
		return session.ErrConflict
	}
	if !s.makeRoom(int64(len(value)-len(e.value)), now) {
		return errFull
	}
	s.replace(e, bytes.Clone(value), now.Add(ttl))
	return nil
}

// Delete implements [session.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	now, err := s.begin(ctx, key)
	if err != nil {
		return err
	}
	defer s.mu.Unlock()
	if e := s.live(key, now); e != nil {
		s.remove(e)
	}
	return nil
}

// MaxValueBytes implements [session.ValueLimit]: a little less than 1 MiB, or
// less if MaxBytes leaves no room for that.
func (s *Store) MaxValueBytes(key string) int {
	return int(max(0, min(maxValueBytes, s.limit()-entryBytes-int64(len(key)))))
}

// Len counts the entries that have not expired: sessions, the markers of those
// that have ended, and a list for each subject. It takes the longer, the more
// have expired since the last call.
func (s *Store) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(time.Now(), len(s.soonest))
	return len(s.entries)
}

func (s *Store) limit() int64 {
	if s.MaxBytes <= 0 {
		return DefaultMaxBytes
	}
	return s.MaxBytes
}

// begin checks what all methods check, takes the lock, and gives back what has
// expired: up to two entries, so that it goes faster than calls can add any.
// If it fails the lock is not held.
func (s *Store) begin(ctx context.Context, key string) (now time.Time, err error) {
	if err := ctx.Err(); err != nil {
		return now, fmt.Errorf("memory: %w", err)
	}
	if !legalKey(key) {
		return now, errKey
	}
	s.mu.Lock()
	now = time.Now()
	s.expire(now, 2)
	return now, nil
}

// acceptable reports what is wrong with an entry whatever the store holds.
// An entry that never expires can't be written: the session would outlive
// everything that was to end it.
func (s *Store) acceptable(key string, value []byte, ttl time.Duration) error {
	if ttl <= 0 {
		return errTTL
	}
	if len(value) > s.MaxValueBytes(key) {
		return session.ErrTooLarge
	}
	return nil
}

// legalKey is as strict as memcached's protocol, so that a program that was
// tested over memory meets nothing new there.
func legalKey(key string) bool {
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return len(key) >= 1 && len(key) <= 250
}
