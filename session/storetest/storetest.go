package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// Run checks the stores that open returns. It calls open once for each rule,
// with that rule's subtest, whose cleanup may close the store. The stores may
// be one and the same. Nil is not allowed.
func Run(t *testing.T, open func(t *testing.T) session.Store) {
	t.Helper()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			r.test(t, open(t))
		})
	}
}

// A rule is one sentence of the contract, which is its name, and the check of it.
type rule struct {
	name  string
	check func(*trial)
}

var rules = slices.Concat(entryRules, versionRules, ttlRules, limitRules, callRules, concurrencyRules)

func (r rule) test(tb testing.TB, store session.Store) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 30*time.Second)
	defer cancel()
	r.check(&trial{TB: tb, rule: r.name, store: store, ctx: ctx, prefix: rand.Text()})
}

// A trial is one store tried by one rule. Whatever it reports names the rule.
type trial struct {
	testing.TB
	rule   string
	store  session.Store
	ctx    context.Context // ends in time for a store that hangs to fail by name
	prefix string          // of every key, so that no two trials meet
}

func (t *trial) Errorf(format string, args ...any) {
	t.TB.Helper()
	t.TB.Errorf("rule broken: %s\n\t%s", t.rule, fmt.Sprintf(format, args...))
}

func (t *trial) Fatalf(format string, args ...any) {
	t.TB.Helper()
	t.TB.Fatalf("rule broken: %s\n\t%s", t.rule, fmt.Sprintf(format, args...))
}

func (t *trial) key(name string) string { return t.prefix + "." + name }

// create stores value, which must succeed, and returns its version.
func (t *trial) create(key string, value []byte, ttl time.Duration) uint64 {
	t.Helper()
	if err := t.store.Create(t.ctx, key, value, ttl); err != nil {
		t.Fatalf("Create of %d bytes for %v where nothing was: %v", len(value), ttl, err)
	}
	return t.holds(key, value)
}

// update replaces what has this version by value, which must succeed, and
// returns the new version.
func (t *trial) update(key string, value []byte, version uint64, ttl time.Duration) uint64 {
	t.Helper()
	if err := t.store.Update(t.ctx, key, value, version, ttl); err != nil {
		t.Fatalf("Update of the current version with %d bytes for %v: %v", len(value), ttl, err)
	}
	return t.holds(key, value)
}

func (t *trial) delete(key string) {
	t.Helper()
	if err := t.store.Delete(t.ctx, key); err != nil {
		t.Fatalf("Delete: %v, want nil", err)
	}
}

// holds checks that value is under key, and returns its version.
func (t *trial) holds(key string, value []byte) uint64 {
	t.Helper()
	got, version, err := t.store.Get(t.ctx, key)
	switch {
	case err != nil:
		t.Fatalf("Get of what was stored: %v", err)
	case !bytes.Equal(got, value):
		t.Fatalf("Get returned %s, want %s", excerpt(got), excerpt(value))
	case version < 1 || version > math.MaxInt64:
		t.Fatalf("Get returned version %d; versions are between 1 and math.MaxInt64", version)
	}
	return version
}

// unchanged checks that value is under key and was not written meanwhile.
func (t *trial) unchanged(key string, value []byte, version uint64) {
	t.Helper()
	if got := t.holds(key, value); got != version {
		t.Fatalf("the entry got version %d instead of %d by a call that failed", got, version)
	}
}

// absent checks that nothing is under key.
func (t *trial) absent(key string) {
	t.Helper()
	_, _, err := t.store.Get(t.ctx, key)
	t.wants(err, session.ErrNotFound, "Get of an absent key")
}

// wants checks that a call, described by what, failed as it should.
func (t *trial) wants(err, want error, what string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s: error %v, want %v", what, err, want)
	}
}

func excerpt(b []byte) string {
	if len(b) > 40 {
		return fmt.Sprintf("%d bytes that begin with %q", len(b), b[:40])
	}
	return fmt.Sprintf("%q", b)
}
