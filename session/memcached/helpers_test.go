package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

func open(t testing.TB, cfg memcached.Config) *memcached.Store {
	t.Helper()
	s, err := memcached.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// methods calls every method once with a key, and value and ttl where it takes
// them.
var methods = map[string]func(ctx context.Context, s *memcached.Store, key string, ttl time.Duration) error{
	"Get": func(ctx context.Context, s *memcached.Store, key string, _ time.Duration) error {
		_, _, err := s.Get(ctx, key)
		return err
	},
	"Create": func(ctx context.Context, s *memcached.Store, key string, ttl time.Duration) error {
		return s.Create(ctx, key, []byte("value"), ttl)
	},
	"Update": func(ctx context.Context, s *memcached.Store, key string, ttl time.Duration) error {
		return s.Update(ctx, key, []byte("value"), 7, ttl)
	},
	"Delete": func(ctx context.Context, s *memcached.Store, key string, _ time.Duration) error {
		return s.Delete(ctx, key)
	},
}

// sentinels are the errors that promise that nothing was changed.
var sentinels = []error{session.ErrNotFound, session.ErrExists, session.ErrConflict, session.ErrTooLarge}

// unknown fails the test unless err says that the outcome is unknown.
func unknown(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Error("no error, want one that says the outcome is unknown")
	}
	for _, s := range sentinels {
		if errors.Is(err, s) {
			t.Errorf("error %v is certain, want one that says the outcome is unknown", err)
		}
	}
}

var errUnknown = errors.New("outcome unknown")

func wants(t *testing.T, err, want error) {
	t.Helper()
	if want == errUnknown {
		unknown(t, err)
	} else if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func cancelAfter(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	time.AfterFunc(d, cancel)
	return ctx, cancel
}

func keys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("session.%08x", uint32(i)*2654435761)
	}
	return keys
}

// cluster starts real nodes named a, b, c, ...
func cluster(t testing.TB, n int) (servers []*memcachedtest.Server, list []string) {
	t.Helper()
	for i := range n {
		servers = append(servers, memcachedtest.Start(t))
		list = append(list, fmt.Sprintf("%c=%s", 'a'+i, servers[i].Addr()))
	}
	return servers, list
}

// An observer notes the events of nodes.
type observer struct {
	mu     sync.Mutex
	events []session.Event
}

func (o *observer) observe(_ context.Context, e session.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, e)
}

func (o *observer) seen() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var kinds []string
	for _, e := range o.events {
		kinds = append(kinds, fmt.Sprintf("%s: %s", e.Kind, e.Node))
	}
	return kinds
}

// first returns the first event.
func (o *observer) first() session.Event {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.events[0]
}

// file writes a file and returns its path.
func file(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
