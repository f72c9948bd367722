// Package histories checks package session the hard way: clients on several
// managers, as if in several processes, do to a few sessions whatever requests
// do, at random, over a store that is slow, refuses, loses answers and applies
// writes late. What each call asked and was told makes a history, and for each
// session a checker of linearizability (github.com/anishathalye/porcupine)
// looks for an order in which its calls, each at some moment between its
// beginning and its end, have exactly these results by the rules of a simple
// model.
//
// The model says what a session is to its clients:
//   - What was committed is there for every later load, and nothing else: no
//     change is lost, and none is made twice.
//   - A renewed credential is dead at once, and opens nothing again.
//   - What Destroy, Revoke or RevokeAll ended is dead on every credential for
//     good. So is what has expired.
//   - ErrGone means that nothing was applied, and that there was a reason.
//   - ErrUnavailable means applied or not, once, then or at any later time.
//   - A login by a credential that was renewed meanwhile begins another session.
//
// [Run] plays episodes of some hundred operations. It finds a planted bug, such
// as a blind set in place of compare-and-swap, within a few; its tests plant
// nine. They also race sessions' ends against all that could revive them, count
// under losses, and search a dump of memcached.
//
// A failure names the seed of its episode, prints the session's history and how
// far an order explains it, and says how to run that episode again.
//
// The author of a [session.Store] can run all this over his own:
//
//	stats, err := histories.Run(ctx, histories.Config{
//		Stores:     []session.Store{a, b}, // two clients of one server
//		Operations: 100_000,
//	})
//
// and use [NewFaulty] for tests of whatever is over a store.
package histories
