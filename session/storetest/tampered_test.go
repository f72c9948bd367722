package storetest_test

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

// A tampered store is a correct one with some of its methods replaced.
type tampered struct {
	inner     *memory.Store
	get       func(ctx context.Context, key string) ([]byte, uint64, error)
	create    func(ctx context.Context, key string, value []byte, ttl time.Duration) error
	update    func(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error
	delete    func(ctx context.Context, key string) error
	limit     func(key string) int
	available func(key string) bool
}

// tamper returns a store that has what f replaced in it.
func tamper(f func(s *tampered, inner *memory.Store)) func() session.Store {
	return func() session.Store {
		inner := new(memory.Store)
		s := &tampered{
			inner: inner, get: inner.Get, create: inner.Create, update: inner.Update, delete: inner.Delete,
			limit: inner.MaxValueBytes, available: func(string) bool { return true },
		}
		f(s, inner)
		return s
	}
}

// everyKey returns a store that sees each key as f makes it.
func everyKey(f func(key string) string) func() session.Store {
	return tamper(func(s *tampered, inner *memory.Store) {
		s.get = func(ctx context.Context, key string) ([]byte, uint64, error) { return inner.Get(ctx, f(key)) }
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			return inner.Create(ctx, f(key), value, ttl)
		}
		s.update = func(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
			return inner.Update(ctx, f(key), value, version, ttl)
		}
		s.delete = func(ctx context.Context, key string) error { return inner.Delete(ctx, f(key)) }
	})
}

// everyWrite returns a store whose writes go through f, which may change them
// or return an error instead.
func everyWrite(f func(ctx *context.Context, value *[]byte, ttl *time.Duration) error) func() session.Store {
	return tamper(func(s *tampered, inner *memory.Store) {
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			if err := f(&ctx, &value, &ttl); err != nil {
				return err
			}
			return inner.Create(ctx, key, value, ttl)
		}
		s.update = func(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
			if err := f(&ctx, &value, &ttl); err != nil {
				return err
			}
			return inner.Update(ctx, key, value, version, ttl)
		}
	})
}

func (s *tampered) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	return s.get(ctx, key)
}

func (s *tampered) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	return s.create(ctx, key, value, ttl)
}

func (s *tampered) Update(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
	return s.update(ctx, key, value, version, ttl)
}

func (s *tampered) Delete(ctx context.Context, key string) error { return s.delete(ctx, key) }
func (s *tampered) MaxValueBytes(key string) int                 { return s.limit(key) }
func (s *tampered) Available(key string) bool                    { return s.available(key) }

// A counting store numbers the versions of each key by itself, from 1, and
// forgets the number with the entry.
type counting struct {
	session.Store
	mu     sync.Mutex
	counts map[string]uint64
	real   map[string]uint64
}

func newCounting() session.Store {
	return &counting{Store: new(memory.Store), counts: make(map[string]uint64), real: make(map[string]uint64)}
}

func (s *counting) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, version, err := s.Store.Get(ctx, key)
	if err != nil {
		delete(s.counts, key)
		return nil, 0, err
	}
	if version != s.real[key] {
		s.real[key] = version
		s.counts[key]++
	}
	return value, s.counts[key], nil
}

func (s *counting) Update(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
	_, count, err := s.Get(ctx, key)
	if err != nil {
		return err
	}
	if count != version {
		return session.ErrConflict
	}
	return s.Store.Update(ctx, key, value, s.real[key], ttl)
}

func (s *counting) Delete(ctx context.Context, key string) error {
	delete(s.counts, key)
	return s.Store.Delete(ctx, key)
}

// A lingering store forgets an expired entry only when Get meets it.
type lingering struct {
	session.Store
	mu      sync.Mutex
	present map[string]bool
}

func newLingering() *lingering {
	return &lingering{Store: new(memory.Store), present: make(map[string]bool)}
}

func (s *lingering) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, version, err := s.Store.Get(ctx, key)
	s.present[key] = err == nil
	return value, version, err
}

func (s *lingering) has(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.present[key]
}

// An aliasing store holds one entry, and shares its slice with its caller.
type aliasing struct {
	onCreate, onUpdate, onGet, inPlace bool

	value   []byte
	version uint64
}

func (s *aliasing) Get(context.Context, string) ([]byte, uint64, error) {
	if s.onGet || s.inPlace {
		return s.value, s.version, nil
	}
	return bytes.Clone(s.value), s.version, nil
}

func (s *aliasing) Create(_ context.Context, _ string, value []byte, _ time.Duration) error {
	s.version++
	s.value = value
	if !s.onCreate {
		s.value = bytes.Clone(value)
	}
	return nil
}

func (s *aliasing) Update(_ context.Context, _ string, value []byte, _ uint64, _ time.Duration) error {
	s.version++
	switch {
	case s.inPlace:
		s.value = append(s.value[:0], value...)
	case s.onUpdate:
		s.value = value
	default:
		s.value = bytes.Clone(value)
	}
	return nil
}

func (s *aliasing) Delete(context.Context, string) error { return nil }
