package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/coatcheck/coatcheck/docs/stores/sqlstore"
	"github.com/coatcheck/coatcheck/session"
)

// openFile opens a SQLite file. What was committed survives a loss of power
// (FULL, which is not this driver's default), for a logout that is lost brings
// its session back. Callers queue for the one connection in the order in which
// they came; several would poll for SQLite's lock, and some not get it in time.
// A call that waits for another process's lock gives up before Config.Timeout.
func openFile(name string) (*sql.DB, error) {
	db, err := sql.Open("sqlite3", "file:"+name+"?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=500")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// newManager returns a manager of sessions in db. Until ctx ends, what has
// expired is swept out.
func newManager(ctx context.Context, db *sql.DB) (*session.Manager, error) {
	store, err := sqlstore.New(sqlstore.Config{DB: db, Dialect: sqlstore.SQLite})
	if err != nil {
		return nil, err
	}
	if err := store.CreateTable(ctx); err != nil {
		return nil, err
	}
	go sweep(ctx, store)
	return session.NewManager(session.Config{Store: store})
}

func sweep(ctx context.Context, store *sqlstore.Store) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if _, err := store.DeleteExpired(ctx); err != nil {
				slog.WarnContext(ctx, "expired sessions are left in the database", "err", err)
			}
		}
	}
}

func Example() {
	dir, err := os.MkdirTemp("", "sessions")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := openFile(filepath.Join(dir, "sessions.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	manager, err := newManager(ctx, db)
	if err != nil {
		log.Fatal(err)
	}

	const visits session.Key[int] = "visits"
	s := manager.New()
	visits.Put(s, 1)
	if err := s.Commit(ctx); err != nil {
		log.Fatal(err)
	}
	again, err := manager.Load(ctx, s.Credential())
	if err != nil {
		log.Fatal(err)
	}
	n, _ := visits.Get(again)
	fmt.Println("visits:", n)
	// Output: visits: 1
}

// All mistakes are reported at once.
func ExampleNew() {
	_, err := sqlstore.New(sqlstore.Config{MaxValueBytes: 1 << 30})
	fmt.Println(err)
	// Output:
	// sqlstore.Config.DB: is required
	// sqlstore.Config.Dialect = 0: is neither SQLite nor PostgreSQL
	// sqlstore.Config.MaxValueBytes = 1073741824: must be above 0 and at most 256 MiB
}
