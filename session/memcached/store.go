package memcached

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/coatcheck/coatcheck/session"
)

var (
	errKey   = errors.New("memcached: a key is 1 to 250 bytes of printable ASCII without a space")
	errTTL   = errors.New("memcached: a ttl must be positive")
	errNoNew = errors.New("memcached: a Store is made by New")
)

// A Store is a [session.Store] on one or more memcached nodes. New makes it; a
// zero Store fails every call. Its methods are safe for concurrent use. It must
// not be copied.
type Store struct {
	cfg     Config
	current atomic.Pointer[lists]

	mu         sync.Mutex // held while the lists are changed
	closed     bool
	done       chan struct{} // closed by Close
	background sync.WaitGroup
}

var (
	_ session.Store        = (*Store)(nil)
	_ session.Availability = (*Store)(nil)
	_ session.ValueLimit   = (*Store)(nil)
)

// New returns a store, or all of cfg's mistakes, each a *[session.ConfigError],
// joined. It does not connect: nodes that can't be reached now make calls fail
// now, and work when they can be reached.
func New(cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	wanted, err := parseLists("memcached.Config.Nodes", cfg.Nodes, "memcached.Config.Agree", cfg.Agree)
	if err := errors.Join(err, cfg.check()); err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg, done: make(chan struct{})}
	s.current.Store(wanted.build(nil, cfg))
	s.background.Go(s.resolveNames)
	return s, nil
}

// Close closes the connections and ends what goes on in the background. Calls
// under way may finish; later ones fail. Closing twice does nothing.
// [Config.Observe] must not call it: it waits for that to return.
func (s *Store) Close() error {
	if s.lists() == nil || !s.end() {
		return nil
	}
	// Without the lock, for an observer may be about to change the lists.
	var errs []error
	for _, n := range s.lists().all() {
		errs = append(errs, n.close())
	}
	s.background.Wait()
	return errors.Join(errs...)
}

// end has the lists change no more. It reports whether they could before.
func (s *Store) end() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.closed = true
	close(s.done)
	return true
}

// Get implements [session.Store].
func (s *Store) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	at, err := s.begin(ctx, key)
	if err != nil {
		return nil, 0, err
	}
	if at.other != nil {
		return at.pair(key).get(ctx)
	}
	item, err := at.node.get(ctx, key)
	if err != nil {
		return nil, 0, err
	}
	return item.Value, item.CasID, nil
}

// Create implements [session.Store], by memcached's add.
func (s *Store) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	at, err := s.beginWrite(ctx, key, value, ttl)
	if err != nil {
		return err
	}
	item := memcache.Item{Key: key, Value: value, Expiration: expiration(time.Now(), ttl)}
	if at.other != nil {
		return at.pair(key).create(ctx, item)
	}
	return at.node.add(ctx, &item)
}

// Update implements [session.Store], by memcached's cas. It is sent at most
// once. Version 0 is [session.ErrConflict] whatever is stored, for no entry has
// it, and a node without versions (memcached -C) would take it for any.
func (s *Store) Update(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
	at, err := s.beginWrite(ctx, key, value, ttl)
	if err != nil {
		return err
	}
	if version == 0 {
		return session.ErrConflict
	}
	item := memcache.Item{Key: key, Value: value, Expiration: expiration(time.Now(), ttl), CasID: version}
	if at.other != nil {
		return at.pair(key).update(ctx, item)
	}
	return at.node.cas(ctx, &item)
}

// Delete implements [session.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	at, err := s.begin(ctx, key)
	if err != nil {
		return err
	}
	if at.other != nil {
		return errors.Join(at.other.remove(ctx, key), at.node.remove(ctx, key))
	}
	return at.node.remove(ctx, key)
}

// Available implements [session.Availability]: whether a new session may be placed
// under key. Its node must be up, and the last call to it must have had an answer,
// or be more than a second ago; if that holds for no node, to be up will do. While
// [Config.Agree] is set, both lists must name the same node besides, so that new
// sessions get only IDs which both find.
func (s *Store) Available(key string) bool {
	l := s.lists()
	if l == nil {
		return false
	}
	n := l.nodes.owner(key)
	if n == nil || len(l.agree) > 0 && l.agree.owner(key) != n {
		return false
	}
	return n.available() || n.state.Load().down == nil && !l.anyAvailable()
}

// MaxValueBytes implements [session.ValueLimit] with Config.MaxValueBytes.
func (s *Store) MaxValueBytes(string) int {
	if s == nil {
		return 0
	}
	return s.cfg.MaxValueBytes
}

// lists returns what an operation sees; nil if there is nothing to see.
func (s *Store) lists() *lists {
	if s == nil {
		return nil
	}
	return s.current.Load()
}

// begin checks what all methods check and returns where to call.
func (s *Store) begin(ctx context.Context, key string) (place, error) {
	l := s.lists()
	if l == nil {
		return place{}, errNoNew
	}
	if err := ctx.Err(); err != nil {
		return place{}, fmt.Errorf("memcached: %w", err)
	}
	if !legalKey(key) {
		return place{}, errKey
	}
	return l.find(key), nil
}

func (s *Store) beginWrite(ctx context.Context, key string, value []byte, ttl time.Duration) (place, error) {
	at, err := s.begin(ctx, key)
	switch {
	case err != nil:
		return place{}, err
	case ttl <= 0:
		return place{}, errTTL
	case len(value) > s.cfg.MaxValueBytes:
		return place{}, session.ErrTooLarge
	}
	return at, nil
}

// legalKey is stricter than gomemcache, which lets through the empty key and
// bytes beyond ASCII. Anything with a space or a newline in it could be more
// than one key, or a command (CVE-2011-4136, CVE-2020-13254).
func legalKey(key string) bool {
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return len(key) >= 1 && len(key) <= 250
}
