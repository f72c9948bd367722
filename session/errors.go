package session

import (
	"errors"
	"fmt"
)

// Errors that callers can tell apart with [errors.Is].
var (
	// ErrNotFound: there is no such session, or it has expired.
	// From a Store: there is nothing under the key.
	ErrNotFound = errors.New("session: not found")

	// ErrRenewed: the credential belonged to a session that has been renewed
	// and now goes by another ID.
	ErrRenewed = errors.New("session: renewed under another ID")

	// ErrGone: the session was destroyed, renewed or evicted by the time
	// its changes were to be committed. Nothing was written.
	ErrGone = errors.New("session: gone before its changes could be committed")

	// ErrUnavailable: the store failed. It wraps the store's error. After a
	// commit the outcome is unknown, and the session writes nothing more,
	// except that it can still be destroyed.
	ErrUnavailable = errors.New("session: store unavailable")

	// ErrTooLarge: the session does not fit into the store. Nothing was written.
	ErrTooLarge = errors.New("session: too large for the store")

	// ErrLate: the response has begun, so that a new credential can't reach
	// the client any more, and the changes that need one were not written.
	ErrLate = errors.New("session: too late for a new credential")

	// ErrConflict is a Store's answer to an Update of another version.
	ErrConflict = errors.New("session: version conflict")

	// ErrExists is a Store's answer to a Create over something that exists.
	ErrExists = errors.New("session: exists already")
)

// A ConfigError is one mistake in a configuration. Constructors report all
// mistakes at once, joined by [errors.Join]. Its zero value has no meaning; it
// holds no secrets and can be copied.
type ConfigError struct {
	Field  string // the field, as written in Go: "session.Config.IdleTimeout"
	Value  any    // what it was set to; nil where that is a secret or says nothing
	Reason string // what is wrong with it
}

// Error names the field, its value and what is wrong with it.
func (e *ConfigError) Error() string {
	switch v := e.Value.(type) {
	case nil:
		return fmt.Sprintf("%s: %s", e.Field, e.Reason)
	case string:
		return fmt.Sprintf("%s = %q: %s", e.Field, v, e.Reason)
	}
	return fmt.Sprintf("%s = %v: %s", e.Field, e.Value, e.Reason)
}

// An IDError is why one session could not be listed or ended. [Manager.List],
// [Manager.Revoke] and [Manager.RevokeAll] return one for each such session, all
// joined by [errors.Join]. Its zero value has no meaning; it holds no secrets and
// can be copied.
type IDError struct {
	ID  ID
	Err error // the cause, such as ErrUnavailable
}

// Error names the ID, and says the cause.
func (e *IDError) Error() string { return fmt.Sprintf("%s: %v", e.ID, e.Err) }

// Unwrap returns the cause.
func (e *IDError) Unwrap() error { return e.Err }
