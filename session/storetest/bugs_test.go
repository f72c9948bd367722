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
	{"a miss is an empty value", "Get of an absent key is ErrNotFound", tamper(func(s *tampered, in *memory.Store) {
		s.get = func(ctx context.Context, key string) ([]byte, uint64, error) {
			value, version, err := in.Get(ctx, key)
			if errors.Is(err, session.ErrNotFound) {
				return nil, 1, nil
			}
			return value, version, err
		}
	})},
	{"Create forgets", "Create stores a value for Get", tamper(func(s *tampered, in *memory.Store) {
		s.create = func(context.Context, string, []byte, time.Duration) error { return nil }
	})},
	{"all keys are one", "Create stores a value for Get", everyKey(func(string) string { return "k" })},
	{"versions are 0", "Create stores a value for Get", tamper(func(s *tampered, in *memory.Store) {
		s.get = func(ctx context.Context, key string) ([]byte, uint64, error) {
			value, _, err := in.Get(ctx, key)
			return value, 0, err
		}
	})},
	{"versions don't fit an int64", "Create stores a value for Get", tamper(func(s *tampered, in *memory.Store) {
		s.get = func(ctx context.Context, key string) ([]byte, uint64, error) {
			value, version, err := in.Get(ctx, key)
			return value, version | 1<<63, err
		}
	})},
	{"Create is a blind set", "M3 Create over an entry is ErrExists and changes nothing", tamper(func(s *tampered, in *memory.Store) {
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			return errors.Join(in.Delete(ctx, key), in.Create(ctx, key, value, ttl))
		}
	})},
	{"Create over an equal value succeeds", "M3 Create over an entry is ErrExists and changes nothing", tamper(func(s *tampered, in *memory.Store) {
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			if old, _, err := in.Get(ctx, key); err == nil && bytes.Equal(old, value) {
				return nil
			}
			return in.Create(ctx, key, value, ttl)
		}
	})},
	{"Create refreshes what exists", "M3 Create over an entry is ErrExists and changes nothing", tamper(func(s *tampered, in *memory.Store) {
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			err := in.Create(ctx, key, value, ttl)
			if errors.Is(err, session.ErrExists) {
				old, version, _ := in.Get(ctx, key)
				in.Update(ctx, key, old, version, ttl)
			}
			return err
		}
	})},
	{"Delete leaves a tombstone", "Create succeeds where an entry was deleted", tamper(func(s *tampered, in *memory.Store) {
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
	{"Update forgets", "Update replaces the version that it names", tamper(func(s *tampered, in *memory.Store) {
		s.update = func(context.Context, string, []byte, uint64, time.Duration) error { return nil }
	})},
	{"Update appends", "Update replaces the version that it names", tamper(func(s *tampered, in *memory.Store) {
		s.update = func(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
			old, _, _ := in.Get(ctx, key)
			return in.Update(ctx, key, append(old, value...), version, ttl)
		}
	})},
	{"Update is blind", "M3 Update of another version is ErrConflict and changes nothing", tamper(func(s *tampered, in *memory.Store) {
		s.update = blindUpdate(in, func(uint64) bool { return true })
	})},
	{"version 0 is any version", "M3 Update of another version is ErrConflict and changes nothing", tamper(func(s *tampered, in *memory.Store) {
		s.update = blindUpdate(in, func(version uint64) bool { return version == 0 })
	})},
	{"a later version wins", "M3 Update of another version is ErrConflict and changes nothing", tamper(func(s *tampered, in *memory.Store) {
		s.update = blindUpdate(in, func(version uint64) bool { return version > 900 })
	})},
	{"a conflict is not found", "M3 Update of another version is ErrConflict and changes nothing", tamper(func(s *tampered, in *memory.Store) {
		s.update = func(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
			err := in.Update(ctx, key, value, version, ttl)
			if errors.Is(err, session.ErrConflict) {
				return session.ErrNotFound
			}
			return err
		}
	})},
	{"Update creates", "M3 Update of an absent key is ErrNotFound and creates nothing", tamper(func(s *tampered, in *memory.Store) {
		s.update = upsert(in, nil)
	})},
	{"Update creates and says it did not", "M3 Update of an absent key is ErrNotFound and creates nothing", tamper(func(s *tampered, in *memory.Store) {
		s.update = upsert(in, session.ErrNotFound)
	})},
	{"Delete forgets", "Delete removes the entry, and only that", tamper(func(s *tampered, in *memory.Store) {
		s.delete = func(context.Context, string) error { return nil }
	})},
	{"Delete empties the store", "Delete removes the entry, and only that", tamper(func(s *tampered, in *memory.Store) {
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
	{"Delete of nothing is an error", "Delete of an absent key is no error", tamper(func(s *tampered, in *memory.Store) {
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
	{"a key has at least 2 bytes", "M2 keys of 1 byte work", tamper(func(s *tampered, in *memory.Store) {
		s.get = func(ctx context.Context, key string) ([]byte, uint64, error) {
			if len(key) < 2 {
				return nil, 0, errPlanted
			}
			return in.Get(ctx, key)
		}
	})},
	{"a key has at most 249 bytes", "M2 keys of 250 bytes work, and differ by their last", tamper(func(s *tampered, in *memory.Store) {
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			if len(key) > 249 {
				return errPlanted
			}
			return in.Create(ctx, key, value, ttl)
		}
	})},
	{"a key is cut", "M2 keys of 250 bytes work, and differ by their last", everyKey(func(key string) string { return key[:min(len(key), 249)] })},
	{"keys ignore case", "M2 keys may hold all of printable ASCII, in either case", everyKey(strings.ToLower)},
	{"a key is a path", "M2 keys may hold all of printable ASCII, in either case", tamper(func(s *tampered, in *memory.Store) {
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			if strings.Contains(key, "/") {
				return errPlanted
			}
			return in.Create(ctx, key, value, ttl)
		}
	})},
	{"an empty value is refused", "an empty value is a value", everyWrite(func(_ *context.Context, value *[]byte, _ *time.Duration) error {
		if len(*value) == 0 {
			return errPlanted
		}
		return nil
	})},
	{"an empty value is none", "an empty value is a value", tamper(func(s *tampered, in *memory.Store) {
		s.create = func(ctx context.Context, key string, value []byte, ttl time.Duration) error {
			if old, _, err := in.Get(ctx, key); err == nil && len(old) == 0 {
				in.Delete(ctx, key)
			}
			return in.Create(ctx, key, value, ttl)
		}
	})},
	{"a value ends at a zero byte", "values are opaque bytes", everyWrite(func(_ *context.Context, value *[]byte, _ *time.Duration) error {
		*value, _, _ = bytes.Cut(*value, []byte{0})
		return nil
	})},
	{"a value is trimmed", "values are opaque bytes", everyWrite(func(_ *context.Context, value *[]byte, _ *time.Duration) error {
		*value = bytes.TrimSpace(*value)
		return nil
	})},
	{"a value is text", "values are opaque bytes", everyWrite(func(_ *context.Context, value *[]byte, _ *time.Duration) error {
		*value = bytes.ToValidUTF8(*value, []byte("?"))
		return nil
	})},
	{"a large value is cut", "M8 a value over the limit is ErrTooLarge and the stored one stays", everyWrite(func(_ *context.Context, value *[]byte, _ *time.Duration) error {
		*value = (*value)[:min(len(*value), 1<<19)]
		return nil
	})},
	{"a large value has an error of its own", "M8 a value over the limit is ErrTooLarge and the stored one stays", everyWrite(func(_ *context.Context, value *[]byte, _ *time.Duration) error {
		if len(*value) > 1<<19 {
			return errPlanted
		}
		return nil
	})},
	{"a large update deletes", "M8 a value over the limit is ErrTooLarge and the stored one stays", tamper(func(s *tampered, in *memory.Store) {
		s.update = func(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
			err := in.Update(ctx, key, value, version, ttl)
			if errors.Is(err, session.ErrTooLarge) {
				in.Delete(ctx, key)
			}
			return err
		}
	})},
	{"the limit is too low a promise", "M8 a value over the limit is ErrTooLarge and the stored one stays", tamper(func(s *tampered, in *memory.Store) {
		s.limit = func(string) int { return 100 }
	})},
	{"the limit is too high a promise", "M8 a value of MaxValueBytes is stored", tamper(func(s *tampered, in *memory.Store) {
		s.limit = func(key string) int { return in.MaxValueBytes(key) + 1 }
	})},
	{"there is no room for anything", "M8 a value of MaxValueBytes is stored", tamper(func(s *tampered, in *memory.Store) {
		s.limit = func(string) int { return 0 }
	})},
	{"the limit is asked for far away", "M8 a value of MaxValueBytes is stored", tamper(func(s *tampered, in *memory.Store) {
		s.limit = func(key string) int {
			<-time.After(2 * time.Second)
			return in.MaxValueBytes(key)
		}
	})},
	{"nothing is available", "Available does not block, and holds for a key just served", tamper(func(s *tampered, in *memory.Store) {
		s.available = func(string) bool { return false }
	})},
	{"Available tries", "Available does not block, and holds for a key just served", tamper(func(s *tampered, in *memory.Store) {
		s.available = func(string) bool {
			<-time.After(2 * time.Second)
			return true
		}
	})},
}
