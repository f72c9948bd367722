// Package memory keeps sessions in the process: for tests, for development, and
// for a single server that may forget them when it restarts.
//
//	store := new(memory.Store) // or &memory.Store{MaxBytes: 256 << 20}
//	manager, err := session.NewManager(session.Config{Store: store})
//
// # Lifetimes
//
// An entry whose ttl has passed is absent to every method at once. The memory
// it took is given back a little later, by the calls that follow: there is no
// goroutine, so there is nothing to close. A store that is no longer called
// keeps what it has, which is never more than [Store.MaxBytes].
//
// # When it is full
//
// Room is made first of what has expired, then of what has gone unused for
// longest, but never of what was used within the last minute. If there is
// nothing but that, the store refuses to grow: Create and Update fail, and what
// is under their key stays as it is. Both halves are there for safety's sake.
//
//   - A flood of new sessions is turned away before it logs out anybody who is
//     active. Those who are turned away get an error, not a session that is
//     gone at their next click.
//   - A marker, the short record that a logout leaves behind, outlives every
//     commit that was under way when it was written, for these take a minute at
//     most. When it goes, even an absent entry revives nothing: a marker takes
//     the place of its session under the same key, and an Update of an absent
//     key fails.
//
// # Concurrency
//
// One mutex guards everything and is held for a few hundred nanoseconds, plus
// the copy of a value. No method blocks for longer, so contexts are looked at
// when a method is called and not again.
package memory
