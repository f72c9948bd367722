package storetest

import "github.com/coatcheck/coatcheck/session"

var versionRules = []rule{
	{"every write gives the entry a new version", func(t *trial) {
		seen := make(versions)
		v := t.create(t.key("a"), []byte("same"), long)
		seen.add(t, v)
		for range 50 {
			v = t.update(t.key("a"), []byte("same"), v, long)
			seen.add(t, v)
		}
	}},
	{"no version is repeated after a Delete", func(t *trial) {
		seen := make(versions)
		for range 20 {
			v := t.create(t.key("a"), []byte("same"), long)
			seen.add(t, v)
			seen.add(t, t.update(t.key("a"), []byte("same"), v, long))
			t.delete(t.key("a"))
		}
	}},
	{"no version is repeated after an expiry", func(t *trial) {
		seen := make(versions)
		v := t.create(t.key("a"), []byte("same"), long)
		seen.add(t, v)
		seen.add(t, t.update(t.key("a"), []byte("same"), v, short))
		t.expires(t.key("a"), short)
		v = t.create(t.key("a"), []byte("same"), long)
		seen.add(t, v)
		seen.add(t, t.update(t.key("a"), []byte("same"), v, long))
	}},
	{"M3 Update of a version from before a Delete is ErrConflict", func(t *trial) {
		before := t.create(t.key("a"), []byte("same"), long)
		t.delete(t.key("a"))
		now := t.create(t.key("a"), []byte("same"), long)
		err := t.store.Update(t.ctx, t.key("a"), []byte("new"), before, long)
		t.wants(err, session.ErrConflict, "Update of an entry that was deleted and created again")
		t.unchanged(t.key("a"), []byte("same"), now)
	}},
}

// versions are those that a key has had.
type versions map[uint64]bool

func (seen versions) add(t *trial, v uint64) {
	t.Helper()
	if seen[v] {
		t.Fatalf("version %d was given to this key before", v)
	}
	seen[v] = true
}
