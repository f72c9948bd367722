// Package migrating takes live sessions of scs and gorilla/sessions over into
// coatcheck while an application switches, so that nobody is signed out by it.
// ../migrating.md says how the switch goes. Copy the files you need into your
// application, or import the package until the switch is over.
//
//	r.Use(mw.Handler, bridge.Handler)
//
// # What holds
//
// The old store is only read: a rollback finds the old sessions as they were.
//
// An old session is taken over once. Requests that a browser fires at the same
// time all get the same new session, for Config.Grace; afterwards, and as soon
// as the new session has ended or was renewed, the old cookie opens nothing. A
// note in the coatcheck store says so for as long as the old session could live.
// If the note can't be read or written the answer is 503: it may stand for a
// logout, so guessing would undo one, and nobody is made anonymous by guessing.
//
// The new session has an ID and a secret of its own. The note lets whoever shows
// the old cookie find it again: it holds the new cookie, encrypted under a key
// that is made of Config.Key and the old secret, and is filed under a hash of
// the old secret. So neither the store nor the key nor both of them open
// anything without the old cookie, and the old secret is nowhere.
//
// What another site caused is refused by chimw before the bridge sees it.
//
// # Limits
//
// A note that memcached evicts, or loses in a restart, lets the old cookie be
// taken over again while the old session lives. A gorilla CookieStore has no
// sessions but cookies: one that the client was sent before the one it shows
// counts as another session. With session.Config.MaxPerSubject at 1, two
// processes that take one session over at the same moment may end each other's.
package migrating
