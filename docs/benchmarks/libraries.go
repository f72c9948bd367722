package benchmarks

import (
	"io"
	"time"

	"github.com/alexedwards/scs/v2/memstore"
	"github.com/bradfitz/gomemcache/memcache"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

// A Set holds libraries by their names.
type Set map[string]Library

// patience is how long all wait for memcached's answer, gomemcache's own 500 ms and
// our 250 ms (2 s for a commit) being little where benchmarks keep every core busy: a run with one
// call too late is void. It costs nothing.
const patience = 5 * time.Second

// Libraries returns all of them over one memcached, ready for so many concurrent
// clients: each pool of gomemcache's keeps as many connections, for with its
// default of two it would connect anew for most calls. Ours have their
// default, 32 connections. Close the set after use.
func Libraries(addr string, clients int) (Set, error) {
	set := Set{}
	for _, o := range []struct {
		name string
		edit func(*session.Config)
	}{
		{"coatcheck", nil},
		{"coatcheck-sealed", sealed},
		{"coatcheck-refreshing", refreshing},
	} {
		l, err := newOurs(o.name, addr, o.edit)
		if err != nil {
			return nil, err
		}
		set.add(l)
	}
	pool := func() *memcache.Client {
		c := memcache.New(addr)
		c.MaxIdleConns, c.Timeout = clients, patience
		return c
	}
	set.add(
		newSCS("scs", scsStore{pool()}, 0),
		newSCS("scs-idle", scsStore{pool()}, 30*time.Minute),
		newGorilla(pool()),
		newJWTAuth(),
		plain{"gomemcache", pool()},
		plain{"chi", pool()}, // for requests that reach none of them
	)
	return set, nil
}

// InMemory returns those that have a store in the process. Close them after use.
func InMemory() (Set, error) {
	set := Set{}
	l, err := overStore("coatcheck", new(memory.Store), nil)
	set.add(l, newSCS("scs", memstore.NewWithCleanupInterval(0), 0))
	return set, err
}

func (s Set) add(libraries ...Library) {
	for _, l := range libraries {
		s[l.Name()] = l
	}
}

// Close closes what holds connections or has something running.
func (s Set) Close() {
	for _, l := range s {
		if c, ok := l.(io.Closer); ok {
			c.Close()
		}
	}
}
