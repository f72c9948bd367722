package memcached_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// The default limit holds on a server with default settings, with the longest
// key there is.
func TestDefaultLimitFitsADefaultServer(t *testing.T) {
	t.Parallel()
	s := open(t, memcached.Config{Nodes: []string{memcachedtest.Start(t).Addr()}, Timeout: 5 * time.Second})
	key := strings.Repeat("k", 250)
	value := make([]byte, s.MaxValueBytes(key))
	t.Run("M8 the largest value under the longest key is stored", func(t *testing.T) {
		if len(value) != memcached.DefaultMaxValueBytes {
			t.Errorf("MaxValueBytes is %d", len(value))
		}
		if err := s.Create(t.Context(), key, value, time.Hour); err != nil {
			t.Fatal(err)
		}
		got, version, err := s.Get(t.Context(), key)
		if err != nil || len(got) != len(value) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		if err := s.Update(t.Context(), key, value, version, 31*day); err != nil {
			t.Error(err)
		}
	})
}

func TestTooLargeIsNotSent(t *testing.T) {
	t.Parallel()
	f := &fake{answer: func(int, string) string { return "STORED\r\n" }}
	s := open(t, memcached.Config{Nodes: []string{"fake.example:11211"}, MaxValueBytes: 10, DialContext: f.dial})
	t.Run("M8 a value over the limit is ErrTooLarge before it is sent", func(t *testing.T) {
		wants(t, s.Create(t.Context(), "k", make([]byte, 11), time.Hour), session.ErrTooLarge)
		wants(t, s.Update(t.Context(), "k", make([]byte, 11), 7, time.Hour), session.ErrTooLarge)
		if sent := f.sent(); len(sent) > 0 {
			t.Errorf("sent %q", sent)
		}
	})
	t.Run("M8 a value at the limit is sent", func(t *testing.T) {
		wants(t, s.Create(t.Context(), "k", make([]byte, 10), time.Hour), nil)
		wants(t, s.Update(t.Context(), "k", make([]byte, 10), 7, time.Hour), nil)
	})
}

// A server may take less than it was configured to be asked for, or more.
func TestServersOwnLimit(t *testing.T) {
	t.Parallel()
	t.Run("M8 the server's refusal is ErrTooLarge and the stored value stays", func(t *testing.T) {
		t.Parallel()
		s := open(t, memcached.Config{Nodes: []string{memcachedtest.Start(t).Addr()}, MaxValueBytes: 4 << 20, Timeout: 5 * time.Second})
		value := make([]byte, 1<<20)
		wants(t, s.Create(t.Context(), "absent", value, time.Hour), session.ErrTooLarge)
		if _, _, err := s.Get(t.Context(), "absent"); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("%v, want ErrNotFound", err)
		}
		wants(t, s.Create(t.Context(), "k", []byte("stored"), time.Hour), nil)
		_, version, err := s.Get(t.Context(), "k")
		wants(t, err, nil)
		wants(t, s.Update(t.Context(), "k", value, version, time.Hour), session.ErrTooLarge)
		// gomemcache has closed the connection; no other call may notice.
		wants(t, s.Update(t.Context(), "k", nil, version+1000, time.Hour), session.ErrConflict)
		got, same, err := s.Get(t.Context(), "k")
		if err != nil || string(got) != "stored" || same != version {
			t.Errorf("%q, version %d instead of %d, %v", got, same, version, err)
		}
		if !s.Available("k") {
			t.Error("the node does not count as available")
		}
	})
	t.Run("M8 a larger limit is used", func(t *testing.T) {
		t.Parallel()
		s := open(t, memcached.Config{Nodes: []string{memcachedtest.Start(t, "-I", "4m").Addr()}, MaxValueBytes: 4<<20 - 512, Timeout: 5 * time.Second})
		wants(t, s.Create(t.Context(), "k", make([]byte, 4<<20-512), time.Hour), nil)
		wants(t, s.Create(t.Context(), "k2", make([]byte, 4<<20-511), time.Hour), session.ErrTooLarge)
	})
}
