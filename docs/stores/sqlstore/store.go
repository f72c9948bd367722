package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

var (
	errKey   = errors.New("sqlstore: a key is 1 to 250 bytes of printable ASCII without a space")
	errTTL   = errors.New("sqlstore: a ttl must be positive")
	errNoNew = errors.New("sqlstore: a Store is made by New")
)

// A Store is a [session.Store] in a SQL database. New makes it; a zero Store
// fails every call. Its methods are safe for concurrent use; it must not be
// copied.
//
// Every write is one statement that carries its condition, and is sent once.
// There is no transaction, no SELECT that a write relies on, and no retry.
type Store struct {
	cfg Config
	sql statements
}

var (
	_ session.Store      = (*Store)(nil)
	_ session.ValueLimit = (*Store)(nil)
)

// New returns a store, or all of cfg's mistakes, each a *[session.ConfigError],
// joined. It doesn't connect. The table must be there: see [Store.CreateTable].
func New(cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	return &Store{cfg: cfg, sql: cfg.Dialect.statements()}, nil
}

// Get implements [session.Store].
func (s *Store) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	if err := s.begin(ctx, key); err != nil {
		return nil, 0, err
	}
	type row struct {
		value   []byte
		version int64
	}
	found, err := await(ctx, s.cfg.Timeout, func(ctx context.Context) (r row, err error) {
		err = s.cfg.DB.QueryRowContext(ctx, s.sql.get, key).Scan(&r.value, &r.version)
		return r, err
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, 0, session.ErrNotFound
	case err != nil:
		return nil, 0, err
	}
	return found.value, uint64(found.version), nil //nolint:gosec // the table takes none below 1
}

// Create implements [session.Store].
func (s *Store) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := s.beginWrite(ctx, key, value, ttl); err != nil {
		return err
	}
	rows, err := s.write(ctx, s.sql.create, key, owned(value), newVersion(), milliseconds(ttl))
	if err == nil && rows == 0 {
		return session.ErrExists
	}
	return err
}

// Update implements [session.Store].
func (s *Store) Update(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
	if err := s.beginWrite(ctx, key, value, ttl); err != nil {
		return err
	}
	rows, err := s.write(ctx, s.sql.update, owned(value), newVersion(), milliseconds(ttl), key, known(version))
	if err == nil && rows == 0 {
		return s.whyNot(ctx, key)
	}
	return err
}

// Delete implements [session.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := s.begin(ctx, key); err != nil {
		return err
	}
	_, err := s.write(ctx, s.sql.remove, key)
	return err
}

// MaxValueBytes implements [session.ValueLimit] with Config.MaxValueBytes.
func (s *Store) MaxValueBytes(string) int {
	if s == nil {
		return 0
	}
	return s.cfg.MaxValueBytes
}

// whyNot tells the two reasons apart for which an Update changed nothing. It
// may see a later state than the Update did; what it says is true of that one,
// and that nothing was changed is certain.
func (s *Store) whyNot(ctx context.Context, key string) error {
	n, err := s.count(ctx, s.sql.exists, key)
	switch {
	case err != nil:
		return err
	case n == 0:
		return session.ErrNotFound
	}
	return session.ErrConflict
}

func (s *Store) count(ctx context.Context, query string, args ...any) (int, error) {
	return await(ctx, s.cfg.Timeout, func(ctx context.Context) (n int, err error) {
		err = s.cfg.DB.QueryRowContext(ctx, query, args...).Scan(&n)
		return n, err
	})
}

// begin checks what all methods check.
func (s *Store) begin(ctx context.Context, key string) error {
	if s == nil || s.cfg.DB == nil {
		return errNoNew
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	if !legalKey(key) {
		return errKey
	}
	return nil
}

func (s *Store) beginWrite(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	err := s.begin(ctx, key)
	switch {
	case err != nil:
		return err
	case ttl <= 0:
		return errTTL
	case len(value) > s.cfg.MaxValueBytes:
		return session.ErrTooLarge
	}
	return nil
}

// legalKey refuses what PostgreSQL would (a zero byte) and what another store
// would, so that a program meets nothing new when it changes its store.
func legalKey(key string) bool {
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return len(key) >= 1 && len(key) <= 250
}
