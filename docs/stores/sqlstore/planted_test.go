package sqlstore_test

import (
	"os"
	"testing"

	"github.com/coatcheck/coatcheck/docs/stores/sqlstore"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/storetest"
)

// TestPlanted is how a store fails that counts versions in the row, for
// docs/stores.md to show. TestDocsOutput runs it.
func TestPlanted(t *testing.T) {
	if os.Getenv("COATCHECK_PLANTED") == "" {
		t.Skip("it fails on purpose, where COATCHECK_PLANTED is set")
	}
	store := newStore(t, openSQLite(t), sqlstore.SQLite)
	store.CountVersions()
	storetest.Run(t, func(*testing.T) session.Store { return store })
}
