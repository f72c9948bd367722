package session

import (
	"context"
	"errors"
	"fmt"
)

const (
	// draws is how many IDs are drawn in search of one that the store has room
	// for. With two lists of 20 nodes that share one it is 1 in 39.
	draws = 512

	// placements is how many nodes a new session is tried on.
	placements = 3
)

// place draws an ID for a new session that the store has a place for. One that is
// not Available is never used: its node may be one on which other processes would
// not look for it.
func (m *Manager) place(ctx context.Context) (ID, error) {
	store, ok := m.cfg.Store.(Availability)
	for range draws {
		if id := newID(); !ok || store.Available(m.storeKey(id)) {
			return id, nil
		}
	}
	return ID{}, m.unavailable(ctx, ID{}, errNoPlace)
}

var errNoPlace = errors.New("no node for a new session")

// destination draws an ID whose node answers and has nothing under it.
func (m *Manager) destination(ctx context.Context) (ID, error) {
	failed := errTaken
	for range placements {
		id, err := m.place(ctx)
		if err != nil {
			return ID{}, err // the old session is not given up for that
		}
		_, _, err = m.cfg.Store.Get(ctx, m.storeKey(id))
		if errors.Is(err, ErrNotFound) {
			return id, nil
		}
		if err != nil {
			failed = m.unavailable(ctx, id, err)
		}
	}
	return ID{}, failed
}

// errTaken: the store has something under IDs that were just drawn.
var errTaken = fmt.Errorf("%w: new IDs are taken", ErrUnavailable)
