package memcachedtest_test

import (
	"fmt"
	"testing"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

func TestWarmRestartKeepsValuesAndTheirVersions(t *testing.T) {
	t.Parallel()
	s := memcachedtest.Start(t, "-e", memcachedtest.MemoryFile(t))
	c := dial(t, s)
	set(t, c, "k", "v", 100)
	highest := version(t, c, "k", "v")
	for round := range 2 {
		pid := s.PID()
		s.Shutdown()
		s.Restart()
		if s.PID() == pid {
			t.Error("the process is the same")
		}
		if got := version(t, c, "k", "v"); got > highest {
			t.Errorf("version %d after the restart, was at most %d", got, highest)
		}
		name := fmt.Sprint("new", round)
		set(t, c, name, "v", 0)
		got := version(t, c, name, "v")
		if got <= highest {
			t.Errorf("version %d is given again: it was at %d before the restart", got, highest)
		}
		highest = got
	}
}

func TestKilledServerStartsEmptyWhateverFileItHad(t *testing.T) {
	t.Parallel()
	s := memcachedtest.Start(t, "-e", memcachedtest.MemoryFile(t))
	c := dial(t, s)
	set(t, c, "k", "v", 0)
	s.Shutdown()
	s.Restart()
	version(t, c, "k", "v")
	s.Restart()
	if items := s.Dump(t); len(items) != 0 {
		t.Errorf("%d items after a kill", len(items))
	}
}

func version(t *testing.T, c *memcache.Client, key, value string) uint64 {
	t.Helper()
	c.Close() // the connections of before the restart
	it, err := c.Get(key)
	if err != nil || string(it.Value) != value {
		t.Fatalf("%s: %v, %v", key, it, err)
	}
	return it.CasID
}
