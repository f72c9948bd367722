package memcached

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/coatcheck/coatcheck/session"
)

// get returns what the node has under key. It is made again once.
func (n *node) get(ctx context.Context, key string) (*memcache.Item, error) {
	if land, ok := n.alone(&n.gets); ok {
		defer land()
		return n.getAlone(ctx, key)
	}
	b, r, err := n.ride(ctx, &n.gets, rider{key: key})
	switch {
	case err != nil:
		return nil, err
	case r.found.CasID != 0 && !errors.Is(b.err, errAnswer): // all may be out of step
		return &r.found, nil
	case b.err == nil:
		return nil, session.ErrNotFound
	case n.again(b):
		ctx, cancel := context.WithDeadline(ctx, n.latest(b))
		defer cancel()
		return n.getAlone(ctx, key)
	default:
		return nil, b.err
	}
}

func (n *node) getAlone(ctx context.Context, key string) (*memcache.Item, error) {
	r := [1]rider{{key: key}}
	_, err := n.twice(ctx, func(l *link) error { return l.gets(r[:]) })
	switch {
	case err != nil:
		return nil, err
	case r[0].found.CasID == 0:
		return nil, session.ErrNotFound
	default:
		return &r[0].found, nil
	}
}

// add stores item where nothing is. It is made again once.
func (n *node) add(ctx context.Context, item *memcache.Item) error {
	lost, err := n.addOnce(ctx, item)
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

func (n *node) addOnce(ctx context.Context, item *memcache.Item) (lost, err error) {
	if land, ok := n.putsAlone(item); ok {
		defer land()
		return n.addAlone(ctx, item)
	}
	b, r, err := n.ride(ctx, &n.puts, rider{command: putCommand("add", item)})
	if err != nil {
		return nil, err
	}
	if err := n.told(b, r); r.answered || tooLate(err) || !n.again(b) {
		return nil, err
	}
	ctx, cancel := context.WithDeadline(ctx, n.latest(b))
	defer cancel()
	if _, err = n.addAlone(ctx, item); err == nil {
		return nil, nil
	}
	return b.err, err
}

func (n *node) addAlone(ctx context.Context, item *memcache.Item) (lost, err error) {
	return n.twice(ctx, func(l *link) error { return orTooLarge(l.client.Add(item)) })
}

// cas stores item over the version that it names. It is sent at most once.
func (n *node) cas(ctx context.Context, item *memcache.Item) error {
	err := n.casOnce(ctx, item)
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

func (n *node) casOnce(ctx context.Context, item *memcache.Item) error {
	if land, ok := n.putsAlone(item); ok {
		defer land()
		return n.once(ctx, func(l *link) error { return orTooLarge(l.client.CompareAndSwap(item)) })
	}
	b, r, err := n.ride(ctx, &n.puts, rider{command: putCommand("cas", item)})
	if err != nil {
		return err
	}
	return n.told(b, r)
}

// maxShared is the largest value, in bytes, whose write goes together with others:
// who writes little should not wait for who writes much.
const maxShared = 16 << 10

func (n *node) putsAlone(item *memcache.Item) (land func(), ok bool) {
	if len(item.Value) > maxShared {
		return func() {}, true
	}
	return n.alone(&n.puts)
}

// told returns what a rider was answered. If an answer in the batch made no sense,
// all may be out of step.
func (n *node) told(b *batch, r *rider) error {
	switch {
	case !r.answered || errors.Is(b.err, errAnswer):
		return b.err
	case answered(r.answer):
		return r.answer
	default:
		return &nodeError{n.name, r.answer}
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
