package memcached

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/coatcheck/coatcheck/session"
)

// add stores item where nothing is. It is made again once.
func (n *node) add(ctx context.Context, item *memcache.Item) error {
	lost, err := n.twice(ctx, func(l *link) error { return orTooLarge(l.client.Add(item)) })
	switch {
	case err == nil:
		return nil
	case lost != nil && answered(err):
		// What the second attempt met may be the first one's work.
		return &nodeError{n.name, fmt.Errorf("add had no answer: %w", lost)}
	case errors.Is(err, memcache.ErrNotStored):
		return session.ErrExists
	default:
		return err
	}
}

// cas stores item over the version that it names. It is sent at most once.
func (n *node) cas(ctx context.Context, item *memcache.Item) error {
	err := n.once(ctx, func(l *link) error { return orTooLarge(l.client.CompareAndSwap(item)) })
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
	_, err := n.twice(ctx, func(l *link) error { return l.client.Delete(key) })
	if errors.Is(err, memcache.ErrCacheMiss) {
		return nil
	}
	return err
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
