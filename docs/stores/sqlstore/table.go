package sqlstore

import (
	"context"
	"errors"
)

// batch is how many rows a statement deletes at most, so that none holds its
// locks for long.
const batch = 1000

var errMeet = errors.New("sqlstore: the column coatcheck_entries.name compares without case: keys would meet, and sessions with them")

// CreateTable creates the table and its index where they are missing, and fails
// if a table that was there compares keys without case. Call it when you deploy,
// from one process: two at once may get in each other's way.
func (s *Store) CreateTable(ctx context.Context) error {
	if s == nil || s.cfg.DB == nil {
		return errNoNew
	}
	for _, statement := range schema {
		if _, err := s.write(ctx, statement); err != nil {
			return err
		}
	}
	n, err := s.count(ctx, meet)
	if err == nil && n != 0 {
		return errMeet
	}
	return err
}

// DeleteExpired deletes the rows that have expired, in batches, and returns how
// many there were. No method sees those rows, so this only gives back space:
// once a minute will do, from any number of processes. If it fails, the next
// one does what is left.
func (s *Store) DeleteExpired(ctx context.Context) (int64, error) {
	if s == nil || s.cfg.DB == nil {
		return 0, errNoNew
	}
	for deleted := int64(0); ; {
		rows, err := s.write(ctx, s.sql.expire, batch)
		deleted += rows
		if err != nil || rows < batch {
			return deleted, err
		}
	}
}
