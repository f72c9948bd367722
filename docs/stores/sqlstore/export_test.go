package sqlstore

import "strings"

// Expire returns the statement that deletes what has expired.
func Expire(d Dialect) string { return d.statements().expire }

// CountVersions plants a bug: the row counts its versions, and a new row
// begins again at 1.
func (s *Store) CountVersions() {
	s.sql.create = strings.Replace(s.sql.create, "$3", "1 + 0 * $3", 1)
	s.sql.update = strings.Replace(s.sql.update, "version = $2", "version = version + 1 + 0 * $2", 1)
}
