package memcached_test

import (
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

func TestAllocations(t *testing.T) {
	s := open(t, memcached.Config{Nodes: []string{memcachedtest.Start(t).Addr()}, Timeout: 5 * time.Second})
	wants(t, s.Create(t.Context(), "k", make([]byte, 300), time.Hour), nil)
	// gomemcache's own Get makes 4.
	if n := testing.AllocsPerRun(200, func() { s.Get(t.Context(), "k") }); n > 8 {
		t.Errorf("a Get allocates %v times", n)
	}
}
