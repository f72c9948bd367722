package sqlstore_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/lib/pq"
	_ "github.com/mattn/go-sqlite3"

	"github.com/coatcheck/coatcheck/docs/stores/sqlstore"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/storetest"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	store := newStore(t, openSQLite(t), sqlstore.SQLite)
	storetest.Run(t, func(*testing.T) session.Store { return store })
}

// TestPostgreSQL needs a server: COATCHECK_POSTGRES is how to connect to it, as
// in "postgres://user:password@localhost/database?sslmode=disable".
func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	store := newStore(t, openPostgreSQL(t), sqlstore.PostgreSQL)
	storetest.Run(t, func(*testing.T) session.Store { return store })
}

// openSQLite opens a new database, which has more patience than openFile's has,
// for a test may find the machine busy, and nothing to survive. Transactions,
// which only tests have, take the lock for writing when they begin.
func openSQLite(t testing.TB) *sql.DB {
	t.Helper()
	file := "file:" + filepath.ToSlash(filepath.Join(t.TempDir(), "sessions.db"))
	return open(t, "sqlite3", file+"?_journal_mode=WAL&_synchronous=OFF&_txlock=immediate&_busy_timeout=30000")
}

func openPostgreSQL(t testing.TB) *sql.DB {
	t.Helper()
	address := os.Getenv("COATCHECK_POSTGRES")
	if address == "" {
		t.Skip("COATCHECK_POSTGRES names no server")
	}
	return open(t, "postgres", address)
}

func open(t testing.TB, driver, address string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	return db
}

func newStore(t testing.TB, db *sql.DB, dialect sqlstore.Dialect) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.New(sqlstore.Config{DB: db, Dialect: dialect, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

func TestMistakesAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := sqlstore.New(sqlstore.Config{Dialect: 7, Timeout: time.Hour, MaxValueBytes: -1})
	for _, field := range []string{"DB", "Dialect = 7", "Timeout = 1h", "MaxValueBytes = -1"} {
		if err == nil || !strings.Contains(err.Error(), "sqlstore.Config."+field) {
			t.Errorf("%v does not name %s", err, field)
		}
	}
}

func TestZeroStoreFails(t *testing.T) {
	t.Parallel()
	for _, s := range []*sqlstore.Store{nil, {}} {
		_, _, err := s.Get(t.Context(), "a")
		_, expired := s.DeleteExpired(t.Context())
		for _, err := range []error{
			err, expired, s.CreateTable(t.Context()), s.Delete(t.Context(), "a"),
			s.Create(t.Context(), "a", nil, time.Hour), s.Update(t.Context(), "a", nil, 1, time.Hour),
		} {
			if err == nil || !strings.Contains(err.Error(), "made by New") {
				t.Errorf("error %v", err)
			}
		}
	}
}

func TestWrongArgumentsWriteNothing(t *testing.T) {
	t.Parallel()
	db := openSQLite(t)
	store := newStore(t, db, sqlstore.SQLite)
	for name, call := range map[string]func(context.Context) error{
		"M2 an empty key":         create(store, "", time.Hour),
		"M2 a key of 251 bytes":   create(store, strings.Repeat("k", 251), time.Hour),
		"M2 a space in a key":     create(store, "a b", time.Hour),
		"M2 a zero byte in a key": create(store, "a\x00", time.Hour),
		"M2 a key beyond ASCII":   create(store, "ä", time.Hour),
		"M4 a ttl of 0":           create(store, "a", 0),
		"M4 a ttl below 0":        create(store, "a", -time.Second),
		"M4 an update for 0": func(ctx context.Context) error {
			return store.Update(ctx, "a", nil, 1, 0)
		},
	} {
		if err := call(t.Context()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if n := rows(t, db); n != 0 {
		t.Errorf("%d rows were written", n)
	}
}

func create(s *sqlstore.Store, key string, ttl time.Duration) func(context.Context) error {
	return func(ctx context.Context) error { return s.Create(ctx, key, nil, ttl) }
}

func rows(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM coatcheck_entries").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
