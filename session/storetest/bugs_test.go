package storetest_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

var errPlanted = errors.New("planted")

// A bug is a store that is wrong in one way, and the rule that must see it.
type bug struct {
	name  string
	rule  string
	plant func() session.Store
}

var bugs = append(append(entryBugs, limitBugs...), timeBugs...)

var entryBugs = []bug{
	{"a miss is an empty value", miss, tamper(func(s *tampered, in *memory.Store) {
		s.get = func(ctx context.Context, key string) ([]byte, uint64, error) {
			value, version, err := in.Get(ctx, key)
			if errors.Is(err, session.ErrNotFound) {
				return nil, 1, nil
			}
			return value, version, err
		}
	})},
	{"Create forgets", createStores, tamper(func(s *tampered, in *memory.Store) {
		s.create = func(context.Context, string, []byte, time.Duration) error { return nil }
	})},
	{"all keys are one", createStores, everyKey(func(string) string { return "k" })},
	{"versions are 0", createStores, tamper(func(s *tampered, in *memory.Store) {
		s.get = func(ctx context.Context, key string) ([]byte, uint64, error) {
			value, _, err := in.Get(ctx, key)
			return value, 0, err
		}
	})},
	{"versions don't fit an int64", createStores, tamper(func(s *tampered, in *memory.Store) {
		s.get = func(ctx context.Context, key string) ([]byte, uint64, error) {
			value, version, err := in.Get(ctx, key)
			return value, version | 1<<63, err
		}
	})},
	{"Create is a blind set", createOver, tamper(func(s *tampered, in *memory.Store) {
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			return errors.Join(in.Delete(ctx, key), in.Create(ctx, key, value, ttl))
		}
	})},
	{"Create over an equal value succeeds", createOver, tamper(func(s *tampered, in *memory.Store) {
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			if old, _, err := in.Get(ctx, key); err == nil && bytes.Equal(old, value) {
				return nil
			}
			return in.Create(ctx, key, value, ttl)
		}
	})},
	{"Create refreshes what exists", createOver, tamper(func(s *tampered, in *memory.Store) {
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			err := in.Create(ctx, key, value, ttl)
			if errors.Is(err, session.ErrExists) {
				old, version, _ := in.Get(ctx, key)
				in.Update(ctx, key, old, version, ttl)
			}
			return err
		}
	})},
	{"Delete leaves a tombstone", createAgain, tamper(func(s *tampered, in *memory.Store) {
		dead := make(map[string]bool)
		s.delete = func(ctx context.Context, key string) error {
			dead[key] = true
			return in.Delete(ctx, key)
		}
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			if dead[key] {
				return session.ErrExists
			}
			return in.Create(ctx, key, value, ttl)
		}
	})},
	{"Update forgets", updateReplaces, tamper(func(s *tampered, in *memory.Store) {
		s.update = func(context.Context, string, []byte, uint64, time.Duration) error { return nil }
	})},
	{"Update appends", updateReplaces, tamper(func(s *tampered, in *memory.Store) {
		s.update = func(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
			old, _, _ := in.Get(ctx, key)
			return in.Update(ctx, key, append(old, value...), version, ttl)
		}
	})},
	{"Update is blind", otherVersion, tamper(func(s *tampered, in *memory.Store) {
		s.update = blindUpdate(in, func(uint64) bool { return true })
	})},
	{"version 0 is any version", otherVersion, tamper(func(s *tampered, in *memory.Store) {
		s.update = blindUpdate(in, func(version uint64) bool { return version == 0 })
	})},
	{"a later version wins", otherVersion, tamper(func(s *tampered, in *memory.Store) {
		s.update = blindUpdate(in, func(version uint64) bool { return version > 900 })
	})},
	{"a version's highest bit is not looked at", otherVersion, tamper(func(s *tampered, in *memory.Store) {
		s.update = blindUpdate(in, func(version uint64) bool { return version >= 1<<63 })
	})},
	{"a conflict is not found", otherVersion, tamper(func(s *tampered, in *memory.Store) {
		s.update = func(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
			err := in.Update(ctx, key, value, version, ttl)
			if errors.Is(err, session.ErrConflict) {
				return session.ErrNotFound
			}
			return err
		}
	})},
	{"Update creates", updateAbsent, tamper(func(s *tampered, in *memory.Store) {
		s.update = upsert(in, nil)
	})},
	{"Update creates and says it did not", updateAbsent, tamper(func(s *tampered, in *memory.Store) {
		s.update = upsert(in, session.ErrNotFound)
	})},
	{"Delete forgets", deleteRemoves, tamper(func(s *tampered, in *memory.Store) {
		s.delete = func(context.Context, string) error { return nil }
	})},
	{"Delete empties the store", deleteRemoves, tamper(func(s *tampered, in *memory.Store) {
		var keys []string
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			keys = append(keys, key)
			return in.Create(ctx, key, value, ttl)
		}
		s.delete = func(ctx context.Context, _ string) error {
			for _, key := range keys {
				in.Delete(ctx, key)
			}
			return nil
		}
	})},
	{"Delete of nothing is an error", deleteAbsent, tamper(func(s *tampered, in *memory.Store) {
		s.delete = func(ctx context.Context, key string) error {
			if _, _, err := in.Get(ctx, key); err != nil {
				return err
			}
			return in.Delete(ctx, key)
		}
	})},
}

// blindUpdate updates whatever is there, if the version asked for is one that
// is not looked at.
func blindUpdate(in *memory.Store, blind func(version uint64) bool) func(context.Context, string, []byte, uint64, time.Duration) error {
	return func(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
		_, current, err := in.Get(ctx, key)
		if err != nil {
			return err
		}
		if blind(version) {
			version = current
		}
		return in.Update(ctx, key, value, version, ttl)
	}
}

// upsert creates what an update does not find, and returns result then.
func upsert(in *memory.Store, result error) func(context.Context, string, []byte, uint64, time.Duration) error {
	return func(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
		err := in.Update(ctx, key, value, version, ttl)
		if errors.Is(err, session.ErrNotFound) {
			in.Create(ctx, key, value, ttl)
			return result
		}
		return err
	}
}

var limitBugs = []bug{
	{"a key has at least 2 bytes", shortKeys, tamper(func(s *tampered, in *memory.Store) {
		s.get = func(ctx context.Context, key string) ([]byte, uint64, error) {
			if len(key) < 2 {
				return nil, 0, errPlanted
			}
			return in.Get(ctx, key)
		}
	})},
	{"a key has at most 249 bytes", longKeys, tamper(func(s *tampered, in *memory.Store) {
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			if len(key) > 249 {
				return errPlanted
			}
			return in.Create(ctx, key, value, ttl)
		}
	})},
	{"a key is cut", longKeys, everyKey(func(key string) string { return key[:min(len(key), 249)] })},
	{"keys ignore case", printableKeys, everyKey(strings.ToLower)},
	{"a key is a path", printableKeys, tamper(func(s *tampered, in *memory.Store) {
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			if strings.Contains(key, "/") {
				return errPlanted
			}
			return in.Create(ctx, key, value, ttl)
		}
	})},
	{"an empty value is refused", emptyValue, everyWrite(func(_ *context.Context, value *[]byte, _ *time.Duration) error {
		if len(*value) == 0 {
			return errPlanted
		}
		return nil
	})},
	{"an empty value is none", emptyValue, tamper(func(s *tampered, in *memory.Store) {
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			if old, _, err := in.Get(ctx, key); err == nil && len(old) == 0 {
				in.Delete(ctx, key)
			}
			return in.Create(ctx, key, value, ttl)
		}
	})},
	{"a value ends at a zero byte", opaque, everyWrite(func(_ *context.Context, value *[]byte, _ *time.Duration) error {
		*value, _, _ = bytes.Cut(*value, []byte{0})
		return nil
	})},
	{"a value is trimmed", opaque, everyWrite(func(_ *context.Context, value *[]byte, _ *time.Duration) error {
		*value = bytes.TrimSpace(*value)
		return nil
	})},
	{"a value is text", opaque, everyWrite(func(_ *context.Context, value *[]byte, _ *time.Duration) error {
		*value = bytes.ToValidUTF8(*value, []byte("?"))
		return nil
	})},
	{"a large value is cut", overLimit, everyWrite(func(_ *context.Context, value *[]byte, _ *time.Duration) error {
		*value = (*value)[:min(len(*value), 1<<19)]
		return nil
	})},
	{"a large value has an error of its own", overLimit, everyWrite(func(_ *context.Context, value *[]byte, _ *time.Duration) error {
		if len(*value) > 1<<19 {
			return errPlanted
		}
		return nil
	})},
	{"a large update deletes", overLimit, tamper(func(s *tampered, in *memory.Store) {
		s.update = func(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
			err := in.Update(ctx, key, value, version, ttl)
			if errors.Is(err, session.ErrTooLarge) {
				in.Delete(ctx, key)
			}
			return err
		}
	})},
	{"the limit is too low a promise", overLimit, tamper(func(s *tampered, in *memory.Store) {
		s.limit = func(string) int { return 100 }
	})},
	{"the limit is too high a promise", atLimit, tamper(func(s *tampered, in *memory.Store) {
		s.limit = func(key string) int { return in.MaxValueBytes(key) + 1 }
	})},
	{"there is no room for anything", atLimit, tamper(func(s *tampered, in *memory.Store) {
		s.limit = func(string) int { return 0 }
	})},
	{"the limit is asked for far away", atLimit, tamper(func(s *tampered, in *memory.Store) {
		s.limit = func(key string) int {
			<-time.After(2 * time.Second)
			return in.MaxValueBytes(key)
		}
	})},
	{"nothing is available", available, tamper(func(s *tampered, in *memory.Store) {
		s.available = func(string) bool { return false }
	})},
	{"Available tries", available, tamper(func(s *tampered, in *memory.Store) {
		s.available = func(string) bool {
			<-time.After(2 * time.Second)
			return true
		}
	})},
}
