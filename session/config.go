package session

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Defaults of a [Config].
const (
	DefaultName          = "session"
	DefaultIdleTimeout   = 30 * time.Minute
	DefaultLifetime      = 12 * time.Hour
	DefaultMaxPerSubject = 100
	DefaultCommitTimeout = 2 * time.Second

	maxNameBytes     = 64
	maxLifetime      = 400 * 24 * time.Hour // as long as a cookie can live: RFC 6265bis 5.5
	maxCommitTimeout = time.Minute
	maxSubjectBytes  = 1024
	maxLabelBytes    = 255
	maxSealKeys      = 16
	maxPerSubject    = 1000
)

// A Config says how a [Manager] works. Only Store is required; every other
// field's zero value is right for production. NewManager copies it.
type Config struct {
	// Store keeps the sessions. Required.
	Store Store

	// Name tells managers that share a store apart: it is in the cookie's
	// name, in every store key, in the tokens' audience and in what seal keys
	// are used for. 1 to 64 letters, digits, '-' or '_'; "" means "session".
	Name string

	// IdleTimeout ends a session that has seen no activity for so long.
	// 0 means 30 minutes, or Lifetime if that is shorter. From a second to MaxLifetime.
	IdleTimeout time.Duration

	// Lifetime ends a session however active it is, counted from its beginning
	// or from the last change of its subject. 0 means 12 hours. From a second
	// to MaxLifetime.
	Lifetime time.Duration

	// MaxLifetime bounds what ExpireAt and SetIdleTimeout can give a single
	// session. 0 means Lifetime. At most 400 days.
	MaxLifetime time.Duration

	// RefreshAfter spares writes: it is how old the last recorded activity must be before a
	// request that changes nothing writes the session again. An idle session
	// therefore ends between IdleTimeout-RefreshAfter and IdleTimeout after
	// its last request. 0 means a tenth of IdleTimeout; must be shorter than it.
	RefreshAfter time.Duration

	// SealKeys encrypt and authenticate everything stored, and let made-up
	// credentials be refused without asking the store. The first one seals and
	// all open: to change keys, add the new one last on every process, then
	// move it to the front, then drop the old one after a MaxLifetime. None:
	// values are stored readable (IDs and hashes of secrets only besides).
	// Sealing what was not sealed before, or no longer, ends all sessions. At
	// most 16.
	SealKeys []SealKey

	// MaxPerSubject bounds the live sessions of one subject; the oldest is
	// ended when a new one exceeds it. 0 means 100; at most 1,000.
	MaxPerSubject int

	// CommitTimeout bounds a commit, which goes on after its request was
	// cancelled. 0 means 2 seconds; at most a minute.
	CommitTimeout time.Duration

	// Observe is told what happens, on the goroutine on which it happens. It
	// must be quick, safe for concurrent use, and must not use the session.
	// nil means LogEvents(nil).
	Observe func(ctx context.Context, e Event)
}

func (c Config) withDefaults() Config {
	c.Name = or(c.Name, DefaultName)
	c.Lifetime = or(c.Lifetime, DefaultLifetime)
	c.MaxLifetime = or(c.MaxLifetime, c.Lifetime)
	c.IdleTimeout = or(c.IdleTimeout, min(DefaultIdleTimeout, c.Lifetime))
	c.RefreshAfter = or(c.RefreshAfter, c.IdleTimeout/10)
	c.MaxPerSubject = or(c.MaxPerSubject, DefaultMaxPerSubject)
	c.CommitTimeout = or(c.CommitTimeout, DefaultCommitTimeout)
	c.SealKeys = append([]SealKey(nil), c.SealKeys...)
	if c.Observe == nil {
		c.Observe = LogEvents(nil)
	}
	return c
}

func or[T comparable](v, fallback T) T {
	if v == *new(T) {
		return fallback
	}
	return v
}

// check reports every mistake of a Config that has its defaults.
func (c Config) check() error {
	var errs []error
	wrong := func(field string, value any, reason string) {
		errs = append(errs, &ConfigError{"session.Config." + field, value, reason})
	}
	if c.Store == nil {
		wrong("Store", nil, "is required")
	}
	if !validName(c.Name) {
		wrong("Name", c.Name, "must be 1 to 64 letters, digits, '-' or '_'")
	}
	known := false // whether durations can be held against MaxLifetime
	switch {
	case c.Lifetime < time.Second || c.Lifetime > maxLifetime:
		wrong("Lifetime", c.Lifetime, "must be from 1s to 400 days")
	case c.MaxLifetime < c.Lifetime || c.MaxLifetime > maxLifetime:
		wrong("MaxLifetime", c.MaxLifetime, "must be from Lifetime, "+c.Lifetime.String()+", to 400 days")
	default:
		known = true
	}
	switch {
	case c.IdleTimeout < time.Second || known && c.IdleTimeout > c.MaxLifetime:
		wrong("IdleTimeout", c.IdleTimeout, "must be from 1s to MaxLifetime, "+c.MaxLifetime.String())
	case c.RefreshAfter < 0 || c.RefreshAfter >= c.IdleTimeout:
		wrong("RefreshAfter", c.RefreshAfter, "must be shorter than IdleTimeout, "+c.IdleTimeout.String())
	}
	if c.MaxPerSubject < 0 || c.MaxPerSubject > maxPerSubject {
		wrong("MaxPerSubject", c.MaxPerSubject, "must be from 1 to 1000")
	}
	if c.CommitTimeout < 0 || c.CommitTimeout > maxCommitTimeout {
		wrong("CommitTimeout", c.CommitTimeout, "must be from 1ns to 1m, which is shorter than any marker's life")
	}
	if len(c.SealKeys) > maxSealKeys {
		wrong("SealKeys", len(c.SealKeys), "must be at most 16")
	}
	for i, k := range c.SealKeys {
		if k.k.get() == nil {
			wrong(fmt.Sprintf("SealKeys[%d]", i), nil, "must not be a zero SealKey")
		}
	}
	return errors.Join(errs...)
}

func validName(name string) bool {
	for _, r := range name {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_':
		default:
			return false
		}
	}
	return name != "" && len(name) <= maxNameBytes
}
