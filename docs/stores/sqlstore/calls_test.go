package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/docs/stores/sqlstore"
	"github.com/coatcheck/coatcheck/session"
)

// SQLite waits for a lock without looking at the context, for as long as the
// database was opened with: here 30 seconds.
func TestCallsReturnWhenTheirContextEnds(t *testing.T) {
	t.Parallel()
	db := openSQLite(t)
	store := newStore(t, db, sqlstore.SQLite)
	locked, err := db.BeginTx(t.Context(), nil) // immediate: it holds the lock for writing
	if err != nil {
		t.Fatal(err)
	}
	defer locked.Rollback()

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	err = store.Create(ctx, "a", []byte("one"), time.Hour)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("returned %v later", took)
	}
}

func TestTimeoutBoundsCallsWithoutADeadline(t *testing.T) {
	t.Parallel()
	db := openSQLite(t)
	db.SetMaxOpenConns(1)
	newStore(t, db, sqlstore.SQLite)
	store, err := sqlstore.New(sqlstore.Config{DB: db, Dialect: sqlstore.SQLite, Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	only, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer only.Close()
	if _, _, err := store.Get(t.Context(), "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

// A write may have been applied by a connection that broke before it could
// answer. Sent again, it would meet its own first attempt.
func TestWritesAreSentOnce(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*sqlstore.Store) error{
		"Create": func(s *sqlstore.Store) error { return s.Create(t.Context(), "a", []byte("one"), time.Hour) },
		"Update": func(s *sqlstore.Store) error { return s.Update(t.Context(), "a", []byte("one"), 1, time.Hour) },
	} {
		broken := new(brokenDriver)
		db := sql.OpenDB(broken)
		t.Cleanup(func() { db.Close() })
		store, err := sqlstore.New(sqlstore.Config{DB: db, Dialect: sqlstore.PostgreSQL})
		if err != nil {
			t.Fatal(err)
		}
		err = write(store)
		if !errors.Is(err, driver.ErrBadConn) || errors.Is(err, session.ErrConflict) || errors.Is(err, session.ErrExists) {
			t.Errorf("%s: error %v", name, err)
		}
		if n := broken.sent.Load(); n != 1 {
			t.Errorf("%s was sent %d times", name, n)
		}
	}
}

// A brokenDriver loses the answer to every statement, and says ErrBadConn, as a
// driver should not.
type brokenDriver struct{ sent atomic.Int32 }

func (d *brokenDriver) Connect(context.Context) (driver.Conn, error) { return brokenConn{d}, nil }
func (d *brokenDriver) Driver() driver.Driver                        { return nil }

type brokenConn struct{ *brokenDriver }

func (c brokenConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	c.sent.Add(1)
	return nil, driver.ErrBadConn
}

func (brokenConn) Prepare(string) (driver.Stmt, error) { return nil, errors.ErrUnsupported }
func (brokenConn) Begin() (driver.Tx, error)           { return nil, errors.ErrUnsupported }
func (brokenConn) Close() error                        { return nil }
