package session

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"
)

const (
	// markerTTL is how long a marker stands. It outlasts every commit that
	// could still meet it: maxCommitTimeout, with room for a slow store.
	markerTTL = 5 * time.Minute

	// ttlMargin is what the store's time to live exceeds a record's deadline
	// by, for clocks that differ. The deadline in the record is what counts.
	ttlMargin = time.Minute

	// draws is how many IDs are drawn in search of one that the store has room
	// for. With two lists of 20 nodes that share one it is 1 in 39.
	draws = 512

	// placements is how many nodes a new session is tried on.
	placements = 3
)

// A Manager loads, commits, renews, destroys, lists and revokes sessions over a
// [Store]. Make one with [NewManager]; a zero or nil Manager refuses everything.
// It is immutable and safe for concurrent use, and must not be copied.
type Manager struct {
	cfg     Config
	sealers sealers
	locks   locks
}

// NewManager checks the configuration and returns a manager, or an error that
// joins a [*ConfigError] for every mistake. It doesn't call the store.
func NewManager(cfg Config) (*Manager, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	m := &Manager{cfg: cfg}
	for _, k := range cfg.SealKeys {
		s, err := newSealer(k, cfg.Name)
		if err != nil {
			return nil, fmt.Errorf("session: %w", err)
		}
		m.sealers = append(m.sealers, s)
	}
	return m, nil
}

var errNoManager = fmt.Errorf("%w: the manager was not made by NewManager", ErrUnavailable)

func (m *Manager) ready() bool { return m != nil && m.cfg.Store != nil }

// Name returns the manager's name: Config.Name or its default. It is empty for
// a nil Manager.
func (m *Manager) Name() string {
	if m == nil {
		return ""
	}
	return m.cfg.Name
}

// Report tells the manager's observer about an event that happened outside of
// it, such as a token refused by a middleware. It fills in the manager's name,
// and the node that failed. A zero or nil Manager has nobody to tell.
func (m *Manager) Report(ctx context.Context, e Event) {
	if !m.ready() {
		return
	}
	e.Manager = m.cfg.Name
	if e.Kind == StoreFailed && e.Node == "" {
		e.Node = nodeOf(e.Err)
	}
	m.cfg.Observe(ctx, e)
}

func nodeOf(err error) string {
	var at interface{ Node() string }
	if errors.As(err, &at) {
		return at.Node()
	}
	return ""
}

// maxStoreKeyBytes is the longest key there is: of an index.
const maxStoreKeyBytes = maxNameBytes + len(":subject:") + 43

// storeKey is where a session lies: the manager's name, a colon and the ID as
// 22 characters. At most 87 bytes, none of them a client's own.
func (m *Manager) storeKey(id ID) string {
	b := make([]byte, 0, maxNameBytes+1+22)
	b = append(append(b, m.cfg.Name...), ':')
	return string(base64.RawURLEncoding.AppendEncode(b, id[:]))
}

// read returns what lies under an ID. What can't be read counts as absent: it
// is reported, and left as it is for a process that may know the key.
func (m *Manager) read(ctx context.Context, id ID) (entry, uint64, error) {
	key := m.storeKey(id)
	value, version, err := m.cfg.Store.Get(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return entry{}, 0, ErrNotFound
	}
	if err != nil {
		return entry{}, 0, m.unavailable(ctx, id, err)
	}
	e, err := m.decode(key, id, value)
	if err != nil {
		m.Report(ctx, Event{Kind: Unreadable, ID: id, Reason: reasonRecord, Err: err})
		return entry{}, version, fmt.Errorf("%w: %w", ErrNotFound, errUnreadable)
	}
	return e, version, nil
}

var (
	errUnreadable = errors.New("a record is there, but can't be read")
	errMisplaced  = errors.New("a record of another session")
)

func (m *Manager) decode(key string, id ID, value []byte) (entry, error) {
	body, err := m.sealers.open(key, value)
	if err != nil {
		return entry{}, err
	}
	e, err := decodeEntry(body)
	if err == nil && e.id() != id {
		// A client library or a proxy that mixes up answers must never show
		// one user another's session.
		return entry{}, errMisplaced
	}
	return e, err
}

// detached is for what has to be written, whatever becomes of the request.
func (m *Manager) detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(context.WithoutCancel(ctx), m.cfg.CommitTimeout, errCommitTimeout)
}

var errCommitTimeout = errors.New("session: Config.CommitTimeout has passed")

// unavailable wraps a store's error, and tells the observer unless it is only
// that the caller has left, or has no time left. That CommitTimeout has passed is
// told: the store took all of it.
func (m *Manager) unavailable(ctx context.Context, id ID, err error) error {
	left := ctx.Err() != nil && errors.Is(err, ctx.Err())
	if !left || errors.Is(context.Cause(ctx), errCommitTimeout) {
		m.Report(ctx, Event{Kind: StoreFailed, ID: id, Err: err})
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

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

// fits reports whether the store can hold a body, as far as it can tell.
func (m *Manager) fits(id ID, body []byte) bool {
	store, ok := m.cfg.Store.(ValueLimit)
	return !ok || len(body)+m.sealers.overhead() <= store.MaxValueBytes(m.storeKey(id))
}

func (m *Manager) ttl(r *record, now int64) time.Duration {
	left := min(max(r.expiry()-now, 0), maxLifetime.Milliseconds())
	return time.Duration(left)*time.Millisecond + ttlMargin
}
