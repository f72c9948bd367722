package memcached

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/coatcheck/coatcheck/session"
)

// get returns what the node has under key. It is made again once.
func (n *node) get(ctx context.Context, key string) (*memcache.Item, error) {
	var item *memcache.Item
	_, err := n.twice(ctx, func(c *memcache.Client) (err error) {
		if item, err = c.Get(key); err != nil {
			return err
		}
		return checkItem(item, key)
	})
	switch {
	case err == nil:
		return item, nil
	case errors.Is(err, memcache.ErrCacheMiss):
		return nil, session.ErrNotFound
	default:
		return nil, err
	}
}

// add stores item where nothing is. It is made again once.
func (n *node) add(ctx context.Context, item *memcache.Item) error {
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

// cas stores item over the version that it names. It is sent at most once.
func (n *node) cas(ctx context.Context, item *memcache.Item) error {
	err := n.once(ctx, func(c *memcache.Client) error { return orTooLarge(c.CompareAndSwap(item)) })
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

// remove deletes what is under key, if anything is. It is made again once.
func (n *node) remove(ctx context.Context, key string) error {
	_, err := n.twice(ctx, func(c *memcache.Client) error { return c.Delete(key) })
	if errors.Is(err, memcache.ErrCacheMiss) {
		return nil
	}
	return err
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
