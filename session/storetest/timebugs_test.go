package storetest_test

import (
	"context"
	"errors"
	"hash/crc32"
	"sync"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

const day = 24 * time.Hour

var timeBugs = append(append(ttlBugs, callBugs...), raceBugs...)

var ttlBugs = []bug{
	{"a ttl is rounded down", notBefore, everyTTL(func(ttl time.Duration) time.Duration { return ttl.Truncate(time.Second) })},
	{"a ttl is not counted", notBefore, everyTTL(func(time.Duration) time.Duration { return 1000 * day })},
	{"0 seconds are for ever", neverForEver, everyTTL(func(ttl time.Duration) time.Duration {
		if ttl < time.Second {
			return 1000 * day
		}
		return ttl
	})},
	{"over 30 days is a time long ago", over30Days, everyTTL(func(ttl time.Duration) time.Duration {
		if ttl > 30*day {
			return 0
		}
		return ttl
	})},
	{"seconds are 32 bits", past2038, everyTTL(func(ttl time.Duration) time.Duration {
		if time.Now().Add(ttl).Unix() > 1<<31-1 {
			return 0
		}
		return ttl
	})},
	{"an update is for ever", anew, tamper(func(s *tampered, in *memory.Store) {
		s.update = func(ctx context.Context, key string, value []byte, version uint64, _ time.Duration) error {
			return in.Update(ctx, key, value, version, 1000*day)
		}
	})},
	{"an update keeps the ttl", anew, tamper(func(s *tampered, in *memory.Store) {
		ends := make(map[string]time.Time)
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			ends[key] = time.Now().Add(ttl)
			return in.Create(ctx, key, value, ttl)
		}
		s.update = func(ctx context.Context, key string, value []byte, version uint64, _ time.Duration) error {
			return in.Update(ctx, key, value, version, time.Until(ends[key]))
		}
	})},
	{"Create sees what expired", expired, func() session.Store {
		s := newLingering()
		return &tampered{get: s.Get, update: s.Update, delete: s.Delete,
			create: func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
				if s.has(key) {
					return session.ErrExists
				}
				return s.Create(ctx, key, value, ttl)
			}}
	}},
	{"Update sees what expired", expired, func() session.Store {
		s := newLingering()
		return &tampered{get: s.Get, create: s.Create, delete: s.Delete,
			update: func(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
				if s.has(key) {
					s.Create(ctx, key, value, ttl)
					return nil
				}
				return s.Update(ctx, key, value, version, ttl)
			}}
	}},
	{"Delete of what expired is an error", expired, func() session.Store {
		s := newLingering()
		return &tampered{get: s.Get, create: s.Create, update: s.Update,
			delete: func(ctx context.Context, key string) error {
				if _, _, err := s.Get(ctx, key); err != nil {
					return err
				}
				return s.Delete(ctx, key)
			}}
	}},
	{"a version is a checksum", newVersion, tamper(func(s *tampered, in *memory.Store) {
		s.get = func(ctx context.Context, key string) ([]byte, uint64, error) {
			value, _, err := in.Get(ctx, key)
			return value, uint64(crc32.ChecksumIEEE(value)), err
		}
		s.update = blindUpdate(in, func(uint64) bool { return true })
	})},
	{"each key counts from 1 after a Delete", afterDelete, newCounting},
	{"each key counts from 1 after an expiry", afterExpiry, newCounting},
	{"each key counts from 1 and mistakes a later entry", beforeDelete, newCounting},
}

// everyTTL returns a store that takes each ttl for what f makes of it. What has
// no time left then is gone at once, and nobody is told.
func everyTTL(f func(ttl time.Duration) time.Duration) func() session.Store {
	return tamper(func(s *tampered, in *memory.Store) {
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			if ttl = f(ttl); ttl <= 0 {
				return nil
			}
			return in.Create(ctx, key, value, ttl)
		}
		s.update = func(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
			if ttl = f(ttl); ttl <= 0 {
				return in.Delete(ctx, key)
			}
			return in.Update(ctx, key, value, version, ttl)
		}
	})
}

var callBugs = []bug{
	{"contexts are ignored", cancelled, everyContext(context.WithoutCancel)},
	{"contexts are looked at too late", cancelled, tamper(func(s *tampered, in *memory.Store) {
		s.update = func(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
			return errors.Join(ctx.Err(), in.Update(context.WithoutCancel(ctx), key, value, version, ttl))
		}
	})},
	{"a delete can't be cancelled", cancelled, tamper(func(s *tampered, in *memory.Store) {
		s.delete = func(ctx context.Context, key string) error {
			return errors.Join(ctx.Err(), in.Delete(context.WithoutCancel(ctx), key))
		}
	})},
	{"a create can't be cancelled", cancelled, tamper(func(s *tampered, in *memory.Store) {
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			return errors.Join(ctx.Err(), in.Create(context.WithoutCancel(ctx), key, value, ttl))
		}
	})},
	{"the context's error is hidden", cancelled, tamper(func(s *tampered, in *memory.Store) {
		s.get = func(ctx context.Context, key string) ([]byte, uint64, error) {
			if ctx.Err() != nil {
				return nil, 0, errPlanted
			}
			return in.Get(ctx, key)
		}
	})},
	{"a value beside the error", cancelled, tamper(func(s *tampered, in *memory.Store) {
		s.get = func(ctx context.Context, key string) ([]byte, uint64, error) {
			value, version, err := in.Get(context.WithoutCancel(ctx), key)
			return value, version, errors.Join(ctx.Err(), err)
		}
	})},
	{"a deadline is a cancellation", deadline, tamper(func(s *tampered, in *memory.Store) {
		s.get = func(ctx context.Context, key string) ([]byte, uint64, error) {
			if ctx.Err() != nil {
				return nil, 0, context.Canceled
			}
			return in.Get(ctx, key)
		}
	})},
	{"entries end with their context", laterContext, tamper(func(s *tampered, in *memory.Store) {
		var owner context.Context
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			owner = ctx //nolint:fatcontext // the bug that is planted
			return in.Create(ctx, key, value, ttl)
		}
		s.get = func(ctx context.Context, key string) ([]byte, uint64, error) {
			if owner.Err() != nil {
				return nil, 0, session.ErrNotFound
			}
			return in.Get(ctx, key)
		}
	})},
	{"Create keeps the slice", notKept, func() session.Store { return &aliasing{onCreate: true} }},
	{"Update keeps the slice", notKept, func() session.Store { return &aliasing{onUpdate: true} }},
	{"Get returns the stored slice", callersOwn, func() session.Store { return &aliasing{onGet: true} }},
	{"Update writes into the slice that Get returned", callersOwn, func() session.Store { return &aliasing{inPlace: true} }},
	{"a trailer is appended in place", notChanged, everyWrite(func(_ *context.Context, value *[]byte, _ *time.Duration) error {
		_ = append(*value, "\r\n"...)
		return nil
	})},
}

// everyContext returns a store that takes each context for what f makes of it.
func everyContext(f func(context.Context) context.Context) func() session.Store {
	return tamper(func(s *tampered, in *memory.Store) {
		s.get = func(ctx context.Context, key string) ([]byte, uint64, error) { return in.Get(f(ctx), key) }
	})
}

var raceBugs = []bug{
	{"Create looks, then writes", oneCreates, tamper(func(s *tampered, in *memory.Store) {
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			if _, _, err := in.Get(ctx, key); err == nil {
				return session.ErrExists
			}
			window()
			in.Delete(ctx, key)
			in.Create(ctx, key, value, ttl)
			return nil
		}
	})},
	{"no Create succeeds", oneCreates, tamper(func(s *tampered, in *memory.Store) {
		s.create = func(context.Context, string, []byte, time.Duration) error { return session.ErrExists }
	})},
	{"a beaten Create is unavailable", oneCreates, tamper(func(s *tampered, in *memory.Store) {
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			if in.Create(ctx, key, value, ttl) != nil {
				return errPlanted
			}
			return nil
		}
	})},
	{"Update looks, then writes", oneUpdates, tamper(func(s *tampered, in *memory.Store) { s.update = racingUpdate(in) })},
	{"Update loses what came between", nothingLost, tamper(func(s *tampered, in *memory.Store) { s.update = racingUpdate(in) })},
	{"all calls share one buffer", differentKeys, tamper(func(s *tampered, in *memory.Store) {
		var mu sync.Mutex
		var shared []byte
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			mu.Lock()
			shared = value
			mu.Unlock()
			window()
			mu.Lock()
			defer mu.Unlock()
			return in.Create(ctx, key, shared, ttl)
		}
	})},
}

// racingUpdate compares the version some time before it writes.
func racingUpdate(in *memory.Store) func(context.Context, string, []byte, uint64, time.Duration) error {
	return func(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
		_, current, err := in.Get(ctx, key)
		if err != nil {
			return err
		}
		if current != version {
			return session.ErrConflict
		}
		window()
		_, current, _ = in.Get(ctx, key)
		return in.Update(ctx, key, value, current, ttl)
	}
}

// window lets everybody else come first.
func window() { <-time.After(time.Millisecond) }
