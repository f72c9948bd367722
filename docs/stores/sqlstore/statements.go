package sqlstore

import "strings"

// A Dialect is what differs between the databases. Its zero value is none.
type Dialect int

// The dialects that a [Store] speaks.
const (
	SQLite Dialect = iota + 1
	PostgreSQL
)

// now is the time in milliseconds since 1970, the same throughout a statement
// so that an index can be searched for it. It is the database's: processes
// whose clocks differ must agree on what has expired.
func (d Dialect) now() string {
	switch d {
	case SQLite:
		return "CAST(ROUND(unixepoch('subsec') * 1000) AS INTEGER)"
	case PostgreSQL:
		return "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000 AS BIGINT)"
	}
	return ""
}

// schema is the table and the index that finds what has expired. SQLite takes
// BYTEA for a type it doesn't know, and keeps bytes as they are.
var schema = []string{
	`CREATE TABLE IF NOT EXISTS coatcheck_entries (
	name    TEXT   NOT NULL PRIMARY KEY,
	value   BYTEA  NOT NULL,
	version BIGINT NOT NULL CHECK (version > 0),
	expires BIGINT NOT NULL
)`,
	`CREATE INDEX IF NOT EXISTS coatcheck_entries_expires ON coatcheck_entries (expires)`,
}

// meet is 1 if the table tells keys apart by their letters alone: it takes the
// column's collation, and a value of its own.
const meet = `
SELECT COUNT(*) FROM (
	SELECT name FROM coatcheck_entries WHERE 1 = 0
	UNION ALL
	SELECT 'a'
) AS probe
WHERE name = 'A'`

const (
	get = `
SELECT value, version FROM coatcheck_entries
WHERE name = $1 AND expires > {now}`

	// An expired row counts as nothing, so it is taken over. No other is.
	create = `
INSERT INTO coatcheck_entries (name, value, version, expires)
VALUES ($1, $2, $3, {now} + $4)
ON CONFLICT (name) DO UPDATE
SET value = excluded.value, version = excluded.version, expires = excluded.expires
WHERE coatcheck_entries.expires <= {now}`

	update = `
UPDATE coatcheck_entries
SET value = $1, version = $2, expires = {now} + $3
WHERE name = $4 AND version = $5 AND expires > {now}`

	exists = `
SELECT COUNT(*) FROM coatcheck_entries
WHERE name = $1 AND expires > {now}`

	remove = `
DELETE FROM coatcheck_entries
WHERE name = $1`

	// The last line is no repetition: between the search and the delete, a
	// Create may have taken the row over.
	expire = `
DELETE FROM coatcheck_entries
WHERE name IN (SELECT name FROM coatcheck_entries WHERE expires <= {now} ORDER BY expires LIMIT $1)
AND expires <= {now}`
)

// statements are the above in one dialect.
type statements struct {
	get, create, update, exists, remove, expire string
}

func (d Dialect) statements() statements {
	in := func(sql string) string { return strings.ReplaceAll(sql, "{now}", d.now()) }
	return statements{in(get), in(create), in(update), in(exists), in(remove), in(expire)}
}
