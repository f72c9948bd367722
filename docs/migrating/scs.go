package migrating

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
)

// SCS reads the sessions of an scs.SessionManager. Config.Copy reads them by the
// manager's own methods, with its request's context.
type SCS struct {
	// Manager is the one that made the sessions, with its Store, Codec and
	// Cookie as they were. Required.
	Manager *scs.SessionManager
}

var _ Source = (*SCS)(nil)

// Cookie implements [Source].
func (s *SCS) Cookie() (*http.Cookie, error) {
	if s == nil || s.Manager == nil || s.Manager.Store == nil || s.Manager.Codec == nil {
		return nil, errors.New("needs a Manager with a Store and a Codec")
	}
	c := s.Manager.Cookie
	return &http.Cookie{ //nolint:gosec // to take it away it has to be as it was
		Name: c.Name, Domain: c.Domain, Path: c.Path, Secure: c.Secure, HttpOnly: c.HttpOnly,
		SameSite: c.SameSite, Partitioned: c.Partitioned,
	}, nil
}

// Find implements [Source].
func (s *SCS) Find(r *http.Request) (Found, error) {
	c, err := r.Cookie(s.Manager.Cookie.Name)
	if err != nil {
		return Found{}, nil //nolint:nilerr // no cookie, no session
	}
	m := *s.Manager // whose sessions the original reads, too
	m.Codec = codec{m.Codec}
	ctx, err := m.Load(r.Context(), c.Value)
	if err != nil {
		return Found{}, err
	}
	token := m.Token(ctx)
	if token == "" { // scs found none, and began one, which is never committed
		return Found{}, nil
	}
	// Some databases compare without case, or trailing spaces: each spelling
	// that a client may show has to be the same session here, too.
	spelt := strings.ToLower(strings.TrimRight(token, " "))
	return Found{
		Digest:  sha256.Sum256([]byte("scs\x00" + spelt)),
		Expires: m.Deadline(ctx),
		Request: r.WithContext(ctx),
	}, nil
}

// codec tells what can't be decoded from a store that failed.
type codec struct{ scs.Codec }

func (c codec) Decode(b []byte) (time.Time, map[string]any, error) {
	deadline, values, err := c.Codec.Decode(b)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return deadline, values, err
}
