// Package migrating takes live sessions of scs and gorilla/sessions over into
// coatcheck while an application switches, so that nobody is signed out by it.
// ../migrating.md says how the switch goes. The module has no versions: copy the
// files you need into your application.
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
// The new cookie goes out, and the old one away, with the first byte of the
// answer, if the session still stands then: an answer that is late overwrites no
// newer cookie.
//
// What another site caused is refused by chimw before the bridge sees it. What
// another site's page embeds is left alone, unless the new cookie is
// SameSite=None, too: browsers would refuse it there. So are two different
// cookies of the old name, of which a sibling domain may have planted one.
//
// # Limits
//
// A note that memcached evicts, or loses in a restart, lets the old cookie be
// taken over again while the old session lives. A gorilla CookieStore has no
// sessions but cookies: one that the client was sent before the one it shows
// counts as another session. A browser that gets none of the answers of
// Config.Grace has to sign in again. A planted old cookie counts in a browser that
// has no other, as it did before. List, RevokeAll and MaxPerSubject know nothing
// of a session that was not moved yet: Config.Copy decides whether it still holds.
// While notes can't be written there is one new session a minute, in each
// process, for each old one that is shown. With session.Config.MaxPerSubject at 1, two
// processes that take one session over at the same moment may end each other's.
package migrating
