package session

import (
	"fmt"
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
