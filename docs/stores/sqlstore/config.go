package sqlstore

import (
	"database/sql"
	"errors"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// Defaults of a [Config].
const (
	DefaultTimeout       = time.Second
	DefaultMaxValueBytes = 1<<20 - 512 // the same as memcached's, so that what fits there fits here

	maxTimeout    = time.Minute
	maxValueBytes = 1 << 28 // both databases stop below 1 GB, and drivers hold a value several times
)

// A Config says where a [Store] keeps its entries. New copies it. DB and
// Dialect are required; the other zero values are right for production.
type Config struct {
	// DB is the database. The store doesn't close it. Its size limits, above
	// all SetMaxOpenConns, are what bounds the load on the server.
	DB *sql.DB

	// Dialect is what DB speaks.
	Dialect Dialect

	// Timeout bounds each call, the wait for a connection included: requests
	// bring no deadline of their own. 0 means a second; at most a minute. A
	// database's own patience, such as SQLite's busy timeout, has to be below it:
	// a call that was given up waits on, with its connection, and may still write.
	Timeout time.Duration

	// MaxValueBytes is the largest value taken. 0 means a little less than
	// 1 MiB; at most 256 MiB.
	MaxValueBytes int
}

func (c Config) withDefaults() Config {
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.MaxValueBytes == 0 {
		c.MaxValueBytes = DefaultMaxValueBytes
	}
	return c
}

// check reports every mistake of a Config that has its defaults.
func (c Config) check() error {
	var errs []error
	wrong := func(field string, value any, reason string) {
		errs = append(errs, &session.ConfigError{Field: "sqlstore.Config." + field, Value: value, Reason: reason})
	}
	if c.DB == nil {
		wrong("DB", nil, "is required")
	}
	if c.Dialect.now() == "" {
		wrong("Dialect", int(c.Dialect), "is neither SQLite nor PostgreSQL")
	}
	if c.Timeout < 0 || c.Timeout > maxTimeout {
		wrong("Timeout", c.Timeout, "must be above 0 and at most a minute")
	}
	if c.MaxValueBytes < 0 || c.MaxValueBytes > maxValueBytes {
		wrong("MaxValueBytes", c.MaxValueBytes, "must be above 0 and at most 256 MiB")
	}
	return errors.Join(errs...)
}
