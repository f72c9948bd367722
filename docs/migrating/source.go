package migrating

import (
	"crypto/sha256"
	"net/http"
	"time"
)

// A Source reads the sessions of the library that is left. It must be safe for
// concurrent use.
type Source interface {
	// Cookie returns the old cookie: its name, and the attributes with which
	// it is taken away. An error says what the source lacks.
	Cookie() (*http.Cookie, error)

	// Find looks for the session of a request that shows the cookie. It MUST
	// NOT change anything in the old store. It returns a zero Found if there is
	// no session or it has ended, ErrUnreadable if it makes no sense, and any
	// other error if it can't be told.
	Find(r *http.Request) (Found, error)
}

// Found is an old session.
type Found struct {
	// Digest is the SHA-256 of what opens the session and nobody can guess:
	// the same as long as it is the same session.
	Digest [sha256.Size]byte

	// Expires is when the old session ends at the latest. Zero: not known.
	Expires time.Time

	// Request is what Config.Copy reads it by. nil: there is none.
	Request *http.Request
}

func (f Found) ended() bool {
	return f.Request == nil || !f.Expires.IsZero() && !time.Now().Before(f.Expires)
}

// longest is the life of a cookie that says nothing else: RFC 6265bis 5.5.
const longest = 400 * 24 * time.Hour

// ttl is how long the note of this session has to last: as long as the session
// could, and until the bridge is down, in case old processes prolong it.
func (f Found) ttl(until time.Time) time.Duration {
	ttl := longest
	if !f.Expires.IsZero() {
		ttl = max(time.Until(f.Expires), time.Until(until))
	}
	return ttl + time.Minute // clocks differ
}
