package sqlstore_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/docs/stores/sqlstore"
)

func BenchmarkSQLite(b *testing.B) {
	db, err := openFile(filepath.Join(b.TempDir(), "sessions.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	benchmark(b, db, sqlstore.SQLite)
}

func BenchmarkPostgreSQL(b *testing.B) { benchmark(b, openPostgreSQL(b), sqlstore.PostgreSQL) }

// benchmark measures a request's read, and the write of one that changes its
// session, with records of the usual size among 10,000 others.
func benchmark(b *testing.B, db *sql.DB, dialect sqlstore.Dialect) {
	store := newStore(b, db, dialect)
	if _, err := db.ExecContext(b.Context(), "DELETE FROM coatcheck_entries"); err != nil {
		b.Fatal(err)
	}
	fill(b, db, 10_000, time.Hour)
	value := make([]byte, 400)
	var clients atomic.Int64
	for _, bench := range []struct {
		name  string
		write bool
	}{{"Get", false}, {"GetUpdate", true}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				key := fmt.Sprint("client", clients.Add(1))
				if err := store.Create(b.Context(), key, value, time.Hour); err != nil {
					b.Error(err)
				}
				for pb.Next() {
					_, version, err := store.Get(b.Context(), key)
					if err == nil && bench.write {
						err = store.Update(b.Context(), key, value, version, time.Hour)
					}
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
