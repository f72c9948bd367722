// Package sqlstore keeps sessions in a table of a SQL database. It is the
// store that docs/stores.md builds step by step, and complete: copy it into
// your program, or use it from here.
//
// The statements are the same for SQLite (3.42 and later) and PostgreSQL (9.5
// and later); a [Dialect] says how the database tells the time. [Store] says
// what is never done here and why.
package sqlstore
