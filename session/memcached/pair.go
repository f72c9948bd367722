package memcached

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/coatcheck/coatcheck/session"
)

// A pair is one entry whose key could not be drawn, while the lists name two
// owners for it. During the three rollouts of a change (see SetNodes) processes
// meet that know the old list alone, both lists in either order, or the new list
// alone, but never one that knows only the old with one that knows only the new,
// nor with one that has the new list first. All must find the entry, none may
// bring back what another has ended, and of two writers one must win. So:
//
//   - Both owners hold a copy. A call needs an answer from both, or fails: what
//     can't be asked could hold the end of the session.
//
//   - A write goes to one owner first, the intent, and then to the other, the
//     decision. Which is which depends on the names alone, so that processes with
//     the lists in either order meet at the same first compare-and-swap: of two
//     writers at most one gets past it, the other has certainly changed nothing.
//     After it, the decision's failure leaves the outcome unknown.
//
//   - What holds is the decision. A write draws a tag for its two copies, kept in
//     the item's flags, and the intent names the tag of the decision that it is
//     to replace as well. A decision with neither of the intent's tags is left
//     over from something else and does not hold.
//
//   - A copy without a tag is from a process that knows one list, or from before
//     the change. At the owner by Nodes it holds, since whoever knows one list
//     only knows that one then. At the other owner it does not, nor does a tagged
//     copy that has lost its twin: sessions end, and their markers, after
//     five minutes, before a copy forgotten elsewhere does. It must not rise then.
//     What that costs is an entry of which either owner was restarted or threw it
//     out: it has ended.
//
//   - Before an intent replaces something that does not hold the decision's tag,
//     of which a slow writer may still be about to make one, the decision is
//     written as it is, so that its compare-and-swap fails. And before an intent
//     replaces a copy that holds without a tag, that is copied to where the
//     decision is, or a crash in between would lose it.
//
// A version is a hash of both copies' versions: it changes with either of them.
// An Update reads both again and compares.
type pair struct {
	key              string
	intent, decision *node
	home             *node // one of them: the owner by Nodes
}

func (at place) pair(key string) *pair {
	p := &pair{key: key, intent: at.node, decision: at.other, home: at.node}
	if p.intent.name > p.decision.name {
		p.intent, p.decision = p.decision, p.intent
	}
	return p
}

// tags are what an item's flags say of a copy: its own tag, 0 if it has none,
// and in an intent that of the decision before.
type tags struct{ own, before uint16 }

func tagsOf(i *memcache.Item) tags {
	return tags{uint16(i.Flags >> 16), uint16(i.Flags & math.MaxUint16)}
}

func (t tags) flags() uint32 { return uint32(t.own)<<16 | uint32(t.before) }

// newTag draws a tag that none of the copies has.
func (c copies) newTag() uint16 {
	for {
		tag := uint16(1 + rand.N(math.MaxUint16)) //nolint:gosec // tells copies apart, no secret; fits
		if !c.has(tag) {
			return tag
		}
	}
}

func (c copies) has(tag uint16) bool {
	for _, i := range []*memcache.Item{c.intent, c.decision} {
		if i != nil && (tagsOf(i).own == tag || tagsOf(i).before == tag) {
			return true
		}
	}
	return false
}

// copies are what both owners have, nil where there is nothing.
type copies struct{ intent, decision *memcache.Item }

func (c copies) version() uint64 {
	var h uint64
	for _, i := range []*memcache.Item{c.intent, c.decision} {
		if i != nil {
			h ^= i.CasID
		}
		h = mix(h + 0x9e3779b97f4a7c15) // so that the order counts
	}
	return max(h>>1, 1)
}

// pending reports whether the copies look like a write under way.
func (c copies) pending() bool {
	return c.intent != nil && tagsOf(c.intent).own != 0 &&
		(c.decision == nil || tagsOf(c.decision).own != tagsOf(c.intent).own)
}

// holds returns the copy that counts, or nil if the entry is absent.
func (p *pair) holds(c copies) *memcache.Item {
	home := c.decision
	if p.home == p.intent {
		home = c.intent
	}
	if home != nil && tagsOf(home).own == 0 {
		return home
	}
	if c.intent == nil || c.decision == nil {
		return nil
	}
	tag, by := tagsOf(c.decision).own, tagsOf(c.intent)
	if tag != 0 && by.own != 0 && (tag == by.own || tag == by.before) {
		return c.decision
	}
	return nil
}

const (
	// standstill is how long a write under way must not have gone on to count
	// as given up. Whoever is wrong about that fails the write.
	standstill = DefaultTimeout
	settle     = 2 * time.Millisecond // between two looks; a write takes a round trip
	attempts   = 20
)

// read returns both copies. A write under way is waited for, until it is done or
// stands still; not where it would not count before it is done in any case,
// because what holds is from a process that knows one list.
func (p *pair) read(ctx context.Context) (copies, error) {
	began := time.Now()
	still, before := began, uint64(0)
	for {
		now, err := p.look(ctx)
		if held := p.holds(now); err != nil || !now.pending() || held != nil && tagsOf(held).own == 0 {
			return now, err
		}
		switch version := now.version(); {
		case version != before:
			still, before = time.Now(), version
		case time.Since(still) >= standstill:
			return now, nil
		case time.Since(began) >= attempts*standstill:
			return copies{}, fmt.Errorf("memcached: nodes %s and %s: no end of writes", p.intent.name, p.decision.name)
		}
		pause := time.NewTimer(settle)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return copies{}, fmt.Errorf("memcached: %w", ctx.Err())
		}
	}
}

// look reads the decision first: an intent read later names it still, or the
// decision has been replaced, and that shows.
func (p *pair) look(ctx context.Context) (c copies, err error) {
	if c.decision, err = present(p.decision.get(ctx, p.key)); err != nil {
		return copies{}, err
	}
	if c.intent, err = present(p.intent.get(ctx, p.key)); err != nil {
		return copies{}, err
	}
	return c, nil
}

func present(i *memcache.Item, err error) (*memcache.Item, error) {
	if errors.Is(err, session.ErrNotFound) {
		return nil, nil //nolint:nilnil // absence is an answer
	}
	return i, err
}

func (p *pair) get(ctx context.Context) ([]byte, uint64, error) {
	c, err := p.read(ctx)
	if err != nil {
		return nil, 0, err
	}
	if held := p.holds(c); held != nil {
		return held.Value, c.version(), nil
	}
	return nil, 0, session.ErrNotFound
}

func (p *pair) create(ctx context.Context, item memcache.Item) error {
	for range attempts {
		c, err := p.read(ctx)
		if err != nil {
			return err
		}
		if p.holds(c) != nil {
			return session.ErrExists
		}
		if err = p.write(ctx, c, item); !errors.Is(err, session.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("memcached: nodes %s and %s: no end of conflicts", p.intent.name, p.decision.name)
}

func (p *pair) update(ctx context.Context, item memcache.Item) error {
	c, err := p.look(ctx)
	switch {
	case err != nil:
		return err
	case c.version() != item.CasID && (p.holds(c) != nil || c.pending()):
		return session.ErrConflict
	case p.holds(c) == nil:
		return session.ErrNotFound
	}
	return p.write(ctx, c, item)
}

// write replaces both copies. It returns ErrConflict if it certainly has changed
// nothing that holds.
func (p *pair) write(ctx context.Context, c copies, item memcache.Item) error {
	held := p.holds(c)
	if held != nil && held == c.intent || c.pending() {
		if err := p.prepare(ctx, &c, held, item.Expiration); err != nil {
			return err
		}
	}
	tag := tags{own: c.newTag()}
	if held != nil && c.decision != nil {
		tag.before = tagsOf(c.decision).own
	}
	item.Flags = tag.flags()
	if err := put(ctx, p.intent, c.intent, item); err != nil {
		return err
	}
	item.Flags = tags{own: tag.own}.flags()
	err := put(ctx, p.decision, c.decision, item)
	if c.decision != nil && tagsOf(c.decision).own != 0 && errors.Is(err, session.ErrConflict) {
		// It may have expired meanwhile, as two nodes' clocks are never quite the
		// same. A Delete would have taken the intent as well.
		err = put(ctx, p.decision, nil, item)
	}
	if answered(err) || errors.Is(err, session.ErrConflict) {
		if err == nil {
			return nil
		}
		return fmt.Errorf("memcached: node %s has it, node %s was written by another", p.intent.name, p.decision.name)
	}
	return err
}

// prepare writes the decision so that nothing else holds than before, as the
// last of pair's rules says, and reads it again.
func (p *pair) prepare(ctx context.Context, c *copies, held *memcache.Item, expires int32) error {
	as := memcache.Item{Key: p.key, Expiration: expires, Flags: tags{own: c.newTag()}.flags()}
	switch {
	case held != nil && held == c.intent:
		as.Value = held.Value
	case c.decision != nil:
		as.Value, as.Flags = c.decision.Value, c.decision.Flags
	}
	if err := put(ctx, p.decision, c.decision, as); err != nil {
		return err
	}
	now, err := present(p.decision.get(ctx, p.key))
	if err != nil {
		return err
	}
	if now == nil || now.Flags != as.Flags || string(now.Value) != string(as.Value) {
		return session.ErrConflict
	}
	c.decision = now
	return nil
}

// put stores item over what is there, or where nothing is. ErrConflict means
// that it was something else, and that nothing has changed.
func put(ctx context.Context, n *node, over *memcache.Item, item memcache.Item) error {
	var err error
	if over == nil {
		err = n.add(ctx, &item)
	} else {
		item.CasID = over.CasID
		err = n.cas(ctx, &item)
	}
	if errors.Is(err, session.ErrExists) || errors.Is(err, session.ErrNotFound) {
		return session.ErrConflict
	}
	return err
}
