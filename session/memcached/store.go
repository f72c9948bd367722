package memcached

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
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
	nodes         placement
	maxValueBytes int
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
	targets, err := parseNodes("memcached.Config.Nodes", cfg.Nodes)
	if err := errors.Join(err, cfg.check()); err != nil {
		return nil, err
	}
	nodes := make([]*node, len(targets))
	for i, t := range targets {
		nodes[i] = newNode(t, cfg)
	}
	return &Store{nodes: newPlacement(nodes), maxValueBytes: cfg.MaxValueBytes}, nil
}

// Close closes the connections. Calls under way may finish; later ones fail.
// Closing twice does nothing.
func (s *Store) Close() error {
	if s == nil {
		return nil
	}
	var errs []error
	for _, n := range s.nodes {
		errs = append(errs, n.close())
	}
	return errors.Join(errs...)
}

// Get implements [session.Store].
func (s *Store) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	n, err := s.begin(ctx, key)
	if err != nil {
		return nil, 0, err
	}
	var item *memcache.Item
	_, err = n.twice(ctx, func(c *memcache.Client) (err error) {
		if item, err = c.Get(key); err != nil {
			return err
		}
		return checkItem(item, key)
	})
	switch {
	case err == nil:
		return item.Value, item.CasID, nil
	case errors.Is(err, memcache.ErrCacheMiss):
		return nil, 0, session.ErrNotFound
	default:
		return nil, 0, err
	}
}

// Create implements [session.Store], by memcached's add.
func (s *Store) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	n, err := s.beginWrite(ctx, key, value, ttl)
	if err != nil {
		return err
	}
	item := &memcache.Item{Key: key, Value: value, Expiration: expiration(time.Now(), ttl)}
	lost, err := n.twice(ctx, func(c *memcache.Client) error { return orTooLarge(c.Add(item)) })
	switch {
	case err == nil:
		return nil
	case lost != nil && answered(err):
		// What the second attempt met may be the first one's work.
		return fmt.Errorf("memcached: node %s: add had no answer: %w", n.name, lost)
	case errors.Is(err, memcache.ErrNotStored):
		return session.ErrExists
	default:
		return err
	}
}

// Update implements [session.Store], by memcached's cas. It is sent at most
// once. Version 0 is [session.ErrConflict] whatever is stored, for no entry has
// it, and a node without versions (memcached -C) would take it for any.
func (s *Store) Update(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
	n, err := s.beginWrite(ctx, key, value, ttl)
	if err != nil {
		return err
	}
	if version == 0 {
		return session.ErrConflict
	}
	item := &memcache.Item{Key: key, Value: value, Expiration: expiration(time.Now(), ttl), CasID: version}
	err = n.once(ctx, func(c *memcache.Client) error { return orTooLarge(c.CompareAndSwap(item)) })
	switch {
	case err == nil:
		return nil
	case errors.Is(err, memcache.ErrCASConflict):
		return session.ErrConflict
	case errors.Is(err, memcache.ErrCacheMiss), errors.Is(err, memcache.ErrNotStored):
		return session.ErrNotFound
	default:
		return err
	}
}

// Delete implements [session.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	n, err := s.begin(ctx, key)
	if err != nil {
		return err
	}
	_, err = n.twice(ctx, func(c *memcache.Client) error { return c.Delete(key) })
	if errors.Is(err, memcache.ErrCacheMiss) {
		return nil
	}
	return err
}

// all returns every node.
func (s *Store) all() []*node {
	nodes := make([]*node, len(s.nodes))
	for i, m := range s.nodes {
		nodes[i] = m.node
	}
	return nodes
}

// Available implements [session.Availability]: whether the node that has key is
// up and answered last time, or has not failed within the last second.
func (s *Store) Available(key string) bool {
	if s == nil {
		return false
	}
	n := s.nodes.owner(key)
	return n != nil && n.available()
}

// MaxValueBytes implements [session.ValueLimit] with Config.MaxValueBytes.
func (s *Store) MaxValueBytes(string) int {
	if s == nil {
		return 0
	}
	return s.maxValueBytes
}

// begin checks what all methods check and returns the node to call.
func (s *Store) begin(ctx context.Context, key string) (*node, error) {
	if s == nil || len(s.nodes) == 0 {
		return nil, errNoNew
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("memcached: %w", err)
	}
	if !legalKey(key) {
		return nil, errKey
	}
	return s.nodes.owner(key), nil
}

func (s *Store) beginWrite(ctx context.Context, key string, value []byte, ttl time.Duration) (*node, error) {
	n, err := s.begin(ctx, key)
	switch {
	case err != nil:
		return nil, err
	case ttl <= 0:
		return nil, errTTL
	case len(value) > s.maxValueBytes:
		return nil, session.ErrTooLarge
	}
	return n, nil
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

// checkItem makes sure that an answer is one to the question. A connection
// where answers have slipped by one must not show somebody another's session;
// and where there is no version there is no compare-and-swap (memcached -C).
func checkItem(item *memcache.Item, key string) error {
	if item.Key != key {
		return fmt.Errorf("asked for key %q, got %q", key, item.Key)
	}
	if item.CasID < 1 || item.CasID > math.MaxInt64 {
		return fmt.Errorf("the version of %q is %d; memcached must not run with -C", key, item.CasID)
	}
	return nil
}

// orTooLarge returns ErrTooLarge for memcached's answer that an item exceeds
// its limit (-I). To gomemcache that is any text, but it is certain: nothing
// was stored, and add and cas, unlike set, leave what was there.
func orTooLarge(err error) error {
	if err != nil && strings.Contains(err.Error(), `"SERVER_ERROR object too large for cache`) {
		return session.ErrTooLarge
	}
	return err
}
