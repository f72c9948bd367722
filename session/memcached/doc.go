// Package memcached keeps sessions in memcached, on one node or several.
//
//	store, err := memcached.New(memcached.Config{
//		Nodes: []string{"a=10.0.0.1:11211", "b=10.0.0.2:11211"},
//	})
//
// The store is the Store of a [session.Config]: nobody else has to call its
// methods, but for [Store.Close] when the server has shut down, [Store.Health]
// for a page or an alarm, and [Store.SetNodes] where nodes come and go.
//
// The protocol is spoken by github.com/bradfitz/gomemcache, but for gets, and for
// writes that go together. This package decides what is sent to whom, for how
// long, and what an answer, or none, means for a session.
//
// # Writes
//
// Create is memcached's add, Update its cas; nothing is ever set blindly
// (protocol.txt, "Storage commands"). An entry's version is its "cas unique",
// which a node counts over all its keys and never repeats until it restarts,
// empty. A node that counts none (memcached -C) is refused by Get.
//
// # Lifetimes
//
// Every write carries its ttl, for a node remembers none from the write before.
// It is rounded up to a second and two are added, because a node's clock shows
// whole seconds and is up to two behind: an entry is not gone before its ttl has
// passed, unless that clock is later still for want of a processor, and always 3
// seconds after it. Over 30 days it is sent as a time
// ("Expiration times"), by this machine's clock. Times end in January 2038,
// where gomemcache's do: what should last longer lasts until then or for 30
// days, whichever is later.
//
// Memcached evicts what was used least when it is full. An evicted session has
// ended: nothing brings it back.
//
// # Placement
//
// Each key lives on one node, which rendezvous hashing finds by the nodes'
// names: the highest of the nodes' scores for the key, where
//
//	score = mix(fnv1a(key) XOR mix(fnv1a(name)))
//
// fnv1a is the 64-bit hash of RFC 9923 and mix the 64-bit finalizer of
// MurmurHash3. This will not change. A node added to n others takes 1/(n+1) of
// the keys, a node removed leaves 1/n to the others, and no other key moves.
//
// The nodes can be changed at run time, and without losing a session: see
// [Store.SetNodes]. Keys that can't be drawn have two owners meanwhile, and both
// must answer.
//
// A key is never looked for on a second node because the first one is down:
// when that comes back, the sessions it still holds would rise again, also those
// that were logged out elsewhere meanwhile.
//
// # Failures
//
// A call that gets no answer fails within [Config.Timeout], as a whole: that is
// one deadline for connecting, sending and receiving, which no slow trickle of
// bytes extends. It fails at once when its context ends. Its outcome is unknown
// then, and its error is none of those by which [session.Store] promises that
// nothing was changed.
//
// Connections that die while nobody uses them, as all do when a node restarts,
// cost nothing: the call that finds out drops the others, connects anew and is
// made again, in the rest of its time. That goes for Get, for Delete, and for
// Create, where the second attempt may succeed but not report ErrExists: what it
// met may be its own first attempt. An Update is sent once only; the session
// package finds out what became of it.
//
// A node that gives no answers is given up after the first call that waited for
// one in vain, or could not connect: later calls to it fail at once. In the
// background it is asked whether it is back, at first every few milliseconds and
// later every half a second, and then serves again. [Config.Observe] is told of
// both. It does no harm to New, nor to the keys of other nodes, and
// [Store.Available] keeps new sessions away from it. An answer that makes no
// sense, or that the node has no memory left, is a failure of that call alone.
//
// Calls to a node queue once there are [Config.MaxConns], for as long as the
// timeout and not behind a node that is down.
//
// # Concurrency
//
// A [Store] is used by any number of goroutines. A call has a connection to
// itself, idle ones are kept for the next calls (see [Config.MaxIdleConns]), and
// it runs in its caller's goroutine: nothing goes on after a call has returned,
// in particular not with the value it was given.
//
// When there are many at once, gets are an exception, and so are writes. While two
// of a kind are in flight to a node, others wait until one of those is back, or
// until they are enough, and then go together: gets in one command, writes in one
// message, up to 64, fewer if values are large. Those run in a goroutine of their
// own, which may outlive Close by the timeout, with a copy of what is to be
// written. Who leaves takes nothing from the others. What can't be answered for one
// is asked again for each of the others alone, except for an Update, whose outcome
// is unknown then: so values over 16 KiB are written alone. What has stalled holds
// others up for an eighth of the timeout, unless as much is in flight as may be.
// None joins what has been sent, so that no get returns what was true before it was
// asked. With 256 goroutines gets are so several times as fast as gomemcache's own
// (BenchmarkGathered prints the ratio).
//
// Besides, only what no call waits for runs in the background, until Close:
// asking whether a node is back, and resolving names.
//
// Each connection has a gomemcache client of its own. gomemcache takes no
// context, and a client with many connections does not say which one it took, so
// that a context's end could only be waited for beside it, in another goroutine.
// That makes a call on loopback take half as long again, and an abandoned write
// would still read its value after the call. With one connection to a client, the
// end of the context ends the wait on just that connection, and a Get takes as
// long as gomemcache's own, give or take a few percent (BenchmarkGetOverhead).
//
// # Security
//
// Memcached's protocol has neither encryption nor, mostly, authentication:
// whoever reaches a node can read and change what is there. The session package's
// SealKeys make what is stored unreadable and unforgeable, but not undeletable.
// Keep nodes to a private network, or to a socket, which its file's permissions
// guard (memcached -s, -a). Where that is not enough:
//
//   - TLS (memcached -Z) is spoken by connections of a [crypto/tls.Dialer], whose
//     DialContext is a [Config.DialContext] as it is. A node is sent nothing
//     before it has proved to be the host of its address in [Config.Nodes], or
//     the dialer's ServerName. If nodes ask for a client's certificate (-o
//     ssl_verify_mode=2), give the dialer one; a node's reason to refuse it is
//     often lost with the connection, and the error says no more than that it was
//     reset. Memcached does not speak TLS on unix sockets.
//
//   - A username and a password (memcached -Y) are shown by connections of
//     [Authenticated], over TLS or a socket, for it sends them as they are. A node
//     with a new file (SIGHUP has it read) asks new connections alone.
//
// Both cost a new connection some round trips more, within [Config.Timeout]:
// TLS one by version 1.3 and two by 1.2, a password one.
package memcached
