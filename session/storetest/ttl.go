package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

const (
	day  = 24 * time.Hour
	year = 365 * day

	// short is a ttl that ends during a test, but not between two calls.
	short = 1500 * time.Millisecond

	// lateness is how long after its ttl an entry may still be there: for a
	// store that counts in seconds, on a machine that is busy.
	lateness = 5 * time.Second
)

var ttlRules = []rule{
	{"M4 an entry is absent after its ttl, and not before", ttlsKept(
		time.Second, time.Second+1, 1300*time.Millisecond, 1999*time.Millisecond, 2*time.Second)},
	{"M4 a ttl below a second is never for ever", ttlsKept(
		1, time.Microsecond, time.Millisecond, 400*time.Millisecond, time.Second-1)},
	{"M4 a ttl over 30 days is kept", ttlsTaken(
		30*day-time.Second, 30*day-1, 30*day, 30*day+1, 30*day+time.Second, 31*day, year)},
	{"M4 a ttl that ends after 2038 is kept", ttlsTaken(15*year, 100*year, 1<<63-1)},
	{"M4 Update sets the ttl anew", updateSetsTTL},
	{"an expired entry is absent to every method", expiredIsAbsent},
}

// ttlsKept checks that each ttl is over when it has passed, and not before.
func ttlsKept(ttls ...time.Duration) func(*trial) {
	return func(t *trial) {
		t.together(len(ttls), func(i int) error {
			key, ttl, start := t.key(strconv.Itoa(i)), ttls[i], time.Now()
			if err := t.store.Create(t.ctx, key, []byte("one"), ttl); err != nil {
				return fmt.Errorf("Create for %v: %w", ttl, err)
			}
			if err := t.untilAbsent(key, ttl); err != nil {
				return err
			}
			if lived := time.Since(start); lived < ttl {
				return fmt.Errorf("stored for %v, gone after %v; a ttl is rounded up, never down", ttl, lived)
			}
			return nil
		})
	}
}

// ttlsTaken checks that entries with these long ttls can be written and are
// not gone at once, as they are when a count of seconds overflows or is taken
// for a time.
func ttlsTaken(ttls ...time.Duration) func(*trial) {
	return func(t *trial) {
		for i, ttl := range ttls {
			key := t.key(strconv.Itoa(i))
			v := t.create(key, []byte("one"), ttl)
			t.update(key, []byte("two"), v, ttl)

			v = t.create(key+".updated", []byte("one"), long)
			t.update(key+".updated", []byte("two"), v, ttl)
		}
	}
}

func updateSetsTTL(t *trial) {
	v := t.create(t.key("shortened"), []byte("one"), long)
	t.update(t.key("shortened"), []byte("two"), v, short)

	v = t.create(t.key("lengthened"), []byte("one"), short)
	v = t.update(t.key("lengthened"), []byte("two"), v, long)

	t.create(t.key("last"), []byte("one"), short)
	t.expires(t.key("last"), short)
	t.expires(t.key("shortened"), short)
	t.unchanged(t.key("lengthened"), []byte("two"), v)
}

// expiredIsAbsent waits for the expiry of entries by the very method that it
// is about, so that a store which cleans up only in Get is found out.
func expiredIsAbsent(t *trial) {
	v := t.create(t.key("update"), []byte("one"), short)
	t.create(t.key("create"), []byte("one"), short)
	t.create(t.key("delete"), []byte("one"), short)

	t.expiresFor(short, session.ErrNotFound, session.ErrConflict, "Update of another version", func() error {
		return t.store.Update(t.ctx, t.key("update"), []byte("two"), v+1000, long)
	})
	err := t.store.Update(t.ctx, t.key("update"), []byte("two"), v, long)
	t.wants(err, session.ErrNotFound, "Update of an expired entry")
	t.absent(t.key("update"))

	t.expiresFor(short, session.ErrNotFound, session.ErrConflict, "Update of another version", func() error {
		return t.store.Update(t.ctx, t.key("delete"), []byte("two"), v+1000, long)
	})
	t.delete(t.key("delete"))

	t.expiresFor(short, nil, session.ErrExists, "Create", func() error {
		return t.store.Create(t.ctx, t.key("create"), []byte("two"), long)
	})
	t.holds(t.key("create"), []byte("two"))
}

// expires waits until Get finds nothing under key, which must be so soon after
// ttl.
func (t *trial) expires(key string, ttl time.Duration) {
	t.Helper()
	if err := t.untilAbsent(key, ttl); err != nil {
		t.Fatalf("%v", err)
	}
}

func (t *trial) untilAbsent(key string, ttl time.Duration) error {
	return until(ttl, session.ErrNotFound, nil, "Get", func() error {
		_, _, err := t.store.Get(t.ctx, key)
		return err
	})
}

func (t *trial) expiresFor(ttl time.Duration, absent, live error, what string, call func() error) {
	t.Helper()
	if err := until(ttl, absent, live, what, call); err != nil {
		t.Fatalf("%v", err)
	}
}

// until repeats a call as long as it returns live, and until it returns absent.
func until(ttl time.Duration, absent, live error, what string, call func() error) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(ttl + lateness); ; <-tick.C {
		err := call()
		switch {
		case errors.Is(err, absent):
			return nil
		case !errors.Is(err, live):
			return fmt.Errorf("%s: error %w, want %w, or %w when the entry has expired", what, err, live, absent)
		case time.Now().After(limit):
			return fmt.Errorf("stored for %v, still there %v after that: %s: %w", ttl, lateness, what, err)
		}
	}
}
