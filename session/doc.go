// Package session keeps named values on the server for one client at a time. A
// value's key is a constant with a type, and a handler finds its session in the
// request's context:
//
//	const cart session.Key[[]Item] = "cart"
//
//	func add(w http.ResponseWriter, r *http.Request) {
//		s := session.FromContext(r.Context())
//		item := Item{r.FormValue("item"), 1}
//		cart.Update(s, func(items []Item) []Item { return append(items, item) })
//	}
//
// A [Manager] loads, commits, renews, destroys, lists and revokes sessions over
// a [Store]; package memory has one for a single process and for tests, package
// memcached one for production:
//
//	manager, err := session.NewManager(session.Config{Store: new(memory.Store)}) // in production: memcached.New
//	if err != nil {
//		log.Fatal(err)
//	}
//
// A middleware such as chimw loads the [Session] that a request shows a
// [Credential] or token for, hands it to handlers by context, and commits it
// before the response's first byte. Handlers then need no more than [FromContext],
// the methods of [Key], and of Session those about logins ([Session.SetSubject],
// [Session.Renew], [Session.Destroy]) and times. The other methods are for who
// writes such a middleware.
//
// # What holds
//
// No change is lost: a commit is a compare-and-swap of the version that was
// read. If another request was first, this one's changes are applied to what
// that one left. (A [Key.Get] followed by a [Key.Put] is two changes, not one:
// [Key.Update] is for values that depend on the one before.)
//
// Nothing is revived: a session that ends or changes its ID leaves a marker in
// its place, and a commit that finds a marker, or nothing, is [ErrGone].
//
// Nothing in the store opens a session: it holds hashes of secrets. With
// Config.SealKeys it isn't readable either.
//
// A commit whose answer is lost is looked after, never sent again blindly:
// no Update is applied twice, and what stays unknown is [ErrUnavailable].
//
// # Lifetimes
//
// A session ends when it was idle for Config.IdleTimeout or is as old as
// Config.Lifetime, by the deadlines in its record; the store's own expiry only
// cleans up. [Session.ExpireAt] and [Session.SetIdleTimeout] give a single one
// other limits. One without a value, a subject or a token is never stored.
//
// A Session is one request's: the next request of the same client has another
// one. A Manager lives as long as its program; it has no goroutines of its own,
// and nothing to close.
//
// # Concurrency
//
// Everything here is safe for concurrent use, but for a Store or an observer that
// isn't. Two requests of one client at the same time have a Session each, which
// don't see each other's changes until they commit.
//
// # Compatibility
//
// The formats of stored records, markers and credentials, described in
// docs/formats.md, are frozen: a later version reads what an earlier one wrote.
package session
