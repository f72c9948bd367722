package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// write sends a statement once and returns how many rows it wrote. DB's own
// ExecContext would send it again on a new connection if the driver reports
// driver.ErrBadConn, and not every driver does so only where nothing was sent:
// the second Update would meet the first, and report a conflict.
func (s *Store) write(ctx context.Context, statement string, args ...any) (int64, error) {
	return await(ctx, s.cfg.Timeout, func(ctx context.Context) (int64, error) {
		conn, err := s.cfg.DB.Conn(ctx)
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		result, err := conn.ExecContext(ctx, statement, args...)
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	})
}

// await returns what call returns, or ctx's error as soon as ctx is done. Not
// every driver returns then: SQLite's wait for a lock can't be interrupted.
// What goes on is given up, not undone: its outcome is unknown.
func await[T any](ctx context.Context, timeout time.Duration, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		value, err := call(ctx)
		answers <- answer{value, err}
	}()
	select {
	case a := <-answers:
		return a.value, failed(ctx, a.err)
	case <-ctx.Done():
		return *new(T), failed(ctx, ctx.Err())
	}
}

// failed says who failed, and that ctx ended where a driver has its own words
// for that ("interrupted", "canceling statement due to user request").
func failed(ctx context.Context, err error) error {
	switch cause := ctx.Err(); {
	case err == nil:
		return nil
	case cause != nil && !errors.Is(err, cause):
		return fmt.Errorf("sqlstore: %w: %w", cause, err)
	}
	return fmt.Errorf("sqlstore: %w", err)
}
