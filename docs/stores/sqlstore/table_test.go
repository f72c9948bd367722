package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/docs/stores/sqlstore"
	"github.com/coatcheck/coatcheck/internal/await"
)

func TestDeleteExpiredDeletesAllOfIt(t *testing.T) {
	t.Parallel()
	db := openSQLite(t)
	store := newStore(t, db, sqlstore.SQLite)
	const expired = 2500 // more than two batches
	fill(t, db, expired, -time.Hour)
	for n := range 3 {
		if err := store.Create(t.Context(), fmt.Sprint("live", n), []byte("one"), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := store.DeleteExpired(t.Context()); n != expired || err != nil {
		t.Errorf("deleted %d, %v; want %d", n, err, expired)
	}
	if n := rows(t, db); n != 3 {
		t.Errorf("%d rows are left, want the 3 that are live", n)
	}
	if n, err := store.DeleteExpired(t.Context()); n != 0 || err != nil {
		t.Errorf("the second time: %d, %v", n, err)
	}
}

// fill adds rows that expire so long from now, in place of those of another run.
func fill(t testing.TB, db *sql.DB, n int, expires time.Duration) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), "DELETE FROM coatcheck_entries WHERE name LIKE 'filled%'")
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), `
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $1)
INSERT INTO coatcheck_entries (name, value, version, expires)
SELECT 'filled' || n, 'one', 1, $2 FROM numbers`, n, time.Now().Add(expires).UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
}

// A cleanup that reads the whole table would be felt by everybody, once a minute.
func TestDeleteExpiredUsesTheIndex(t *testing.T) {
	t.Parallel()
	db := openSQLite(t)
	newStore(t, db, sqlstore.SQLite)
	plan, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+sqlstore.Expire(sqlstore.SQLite), 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer plan.Close()
	var steps []string
	for plan.Next() {
		var id, parent, unused int
		var step string
		if err := plan.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	all := strings.Join(steps, "\n")
	if !strings.Contains(all, "INDEX coatcheck_entries_expires (expires<?)") || strings.Contains(all, "SCAN") {
		t.Errorf("the plan is:\n%s", all)
	}
}

// Between the cleanup's search and its delete, another request takes an expired
// row over. SQLite has no such moment, because it writes one at a time.
func TestDeleteExpiredSparesWhatWasTakenOver(t *testing.T) {
	t.Parallel()
	db := openPostgreSQL(t)
	store := newStore(t, db, sqlstore.PostgreSQL)
	fill(t, db, 1, -time.Hour)
	t.Cleanup(func() { store.Delete(context.Background(), "filled1") })

	taker, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer taker.Rollback()
	const take = `UPDATE coatcheck_entries SET expires = $1 WHERE name = 'filled1'`
	if _, err := taker.ExecContext(t.Context(), take, time.Now().Add(time.Hour).UnixMilli()); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := store.DeleteExpired(t.Context())
		done <- err
	}()
	untilBlocked(t, db)
	if err := taker.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.Get(t.Context(), "filled1"); err != nil {
		t.Errorf("the row that was taken over: %v", err)
	}
}

// A table that was there may compare without case: two keys would be one entry.
func TestCreateTableRefusesACaselessColumn(t *testing.T) {
	t.Parallel()
	const (
		columns = `(name TEXT %s NOT NULL PRIMARY KEY, value BYTEA NOT NULL, version BIGINT NOT NULL, expires BIGINT NOT NULL)`
		nocase  = `CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`
	)
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		db := openSQLite(t)
		prepare(t, db, "CREATE TABLE coatcheck_entries "+fmt.Sprintf(columns, "COLLATE NOCASE"))
		refuses(t, db, sqlstore.SQLite)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		db := openPostgreSQL(t)
		db.SetMaxOpenConns(1) // whose search path and table are its own
		prepare(t, db,
			"CREATE SCHEMA IF NOT EXISTS caseless", "SET search_path = caseless", "DROP COLLATION IF EXISTS nocase CASCADE", nocase,
			"CREATE TEMPORARY TABLE coatcheck_entries "+fmt.Sprintf(columns, "COLLATE nocase"))
		refuses(t, db, sqlstore.PostgreSQL)
		prepare(t, db, "DROP SCHEMA caseless CASCADE")
	})
}

func prepare(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

func refuses(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
	t.Helper()
	store, err := sqlstore.New(sqlstore.Config{DB: db, Dialect: d, Timeout: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.CreateTable(t.Context()); err == nil || !strings.Contains(err.Error(), "without case") {
		t.Errorf("CreateTable: %v", err)
	}
}

func untilBlocked(t *testing.T, db *sql.DB) {
	t.Helper()
	const blocked = `
SELECT COUNT(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND query LIKE '%DELETE FROM coatcheck_entries%IN (SELECT%'`
	await.Until(t, "a DELETE that waits for a lock", func() bool {
		var n int
		if err := db.QueryRowContext(t.Context(), blocked).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n > 0
	})
}
