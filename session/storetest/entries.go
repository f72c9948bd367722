package storetest

import (
	"time"

	"github.com/coatcheck/coatcheck/session"
)

const long = time.Hour // a ttl that does not end during a test

var entryRules = []rule{
	{"Get of an absent key is ErrNotFound", func(t *trial) {
		t.absent(t.key("never"))
	}},
	{"Create stores a value for Get", func(t *trial) {
		t.create(t.key("a"), []byte("one"), long)
		t.create(t.key("b"), []byte("two"), long)
		t.holds(t.key("a"), []byte("one"))
	}},
	{"M3 Create over an entry is ErrExists and changes nothing", createOverEntry},
	{"Create succeeds where an entry was deleted", func(t *trial) {
		t.create(t.key("a"), []byte("one"), long)
		t.delete(t.key("a"))
		t.create(t.key("a"), []byte("two"), long)
	}},
	{"Update replaces the version that it names", func(t *trial) {
		v := t.create(t.key("a"), []byte("one"), long)
		v = t.update(t.key("a"), []byte("a longer second"), v, long)
		t.update(t.key("a"), []byte("3"), v, long)
	}},
	{"M3 Update of another version is ErrConflict and changes nothing", updateOtherVersion},
	{"M3 Update of an absent key is ErrNotFound and creates nothing", updateAbsent},
	{"Delete removes the entry, and only that", func(t *trial) {
		t.create(t.key("a"), []byte("one"), long)
		v := t.create(t.key("b"), []byte("two"), long)
		t.delete(t.key("a"))
		t.absent(t.key("a"))
		t.unchanged(t.key("b"), []byte("two"), v)
	}},
	{"Delete of an absent key is no error", func(t *trial) {
		t.delete(t.key("never"))
		t.create(t.key("a"), []byte("one"), long)
		t.delete(t.key("a"))
		t.delete(t.key("a"))
	}},
}

func createOverEntry(t *trial) {
	key := t.key("a")
	v := t.create(key, []byte("one"), long)
	for _, value := range []string{"one", "two", ""} {
		err := t.store.Create(t.ctx, key, []byte(value), long)
		t.wants(err, session.ErrExists, "Create over an entry")
		t.unchanged(key, []byte("one"), v)
	}
}

func updateOtherVersion(t *trial) {
	key := t.key("a")
	first := t.create(key, []byte("one"), long)
	second := t.update(key, []byte("two"), first, long)
	foreign := t.create(t.key("b"), []byte("other"), long)
	for what, version := range map[string]uint64{
		"the version before": first,
		"a later version":    second + 1000,
		"version 0":          0,
		"an impossible one":  second | 1<<63, // database/sql takes no such argument
		"another key's":      foreign,
	} {
		if version == second { // versions need not differ between keys
			continue
		}
		err := t.store.Update(t.ctx, key, []byte("three"), version, long)
		t.wants(err, session.ErrConflict, "Update of "+what)
		t.unchanged(key, []byte("two"), second)
	}
}

func updateAbsent(t *trial) {
	err := t.store.Update(t.ctx, t.key("never"), []byte("one"), 1, long)
	t.wants(err, session.ErrNotFound, "Update where nothing ever was")
	t.absent(t.key("never"))

	v := t.create(t.key("a"), []byte("one"), long)
	t.delete(t.key("a"))
	err = t.store.Update(t.ctx, t.key("a"), []byte("two"), v, long)
	t.wants(err, session.ErrNotFound, "Update of what was deleted")
	t.absent(t.key("a"))
}
