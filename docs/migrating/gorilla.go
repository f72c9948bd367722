package migrating

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"
)

// Gorilla reads the sessions of one name in a store for gorilla/sessions.
// Config.Copy reads them by Store.Get with its request, and must not Save them.
type Gorilla struct {
	Store sessions.Store // Required.
	Name  string         // of the session, and so of the cookie. Required.

	// Absent reports whether an error of the store means that there is no such
	// session. nil: fs.ErrNotExist does, as FilesystemStore has it.
	Absent func(error) bool
}

var _ Source = (*Gorilla)(nil)

// Cookie implements [Source].
func (g *Gorilla) Cookie() (*http.Cookie, error) {
	if g == nil || g.Store == nil || g.Name == "" {
		return nil, errors.New("needs a Store and a Name")
	}
	s, err := g.Store.Get(&http.Request{Header: make(http.Header)}, g.Name)
	if err != nil || s == nil || s.Options == nil {
		return nil, errors.New("has a Store without options, or a Name that is none of a cookie")
	}
	return sessions.NewCookie(g.Name, "", s.Options), nil
}

// Find implements [Source].
func (g *Gorilla) Find(r *http.Request) (Found, error) {
	c, err := r.Cookie(g.Name)
	if err != nil {
		return Found{}, nil //nolint:nilerr // no cookie, no session
	}
	r = r.Clone(r.Context()) // Get keeps the session in the request
	s, err := g.Store.Get(r, g.Name)
	var broken securecookie.Error
	switch {
	case err == nil && s.IsNew, err != nil && g.absent(err):
		return Found{}, nil
	case errors.As(err, &broken) && broken.IsDecode():
		return Found{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	case err != nil:
		return Found{}, err
	}
	found := Found{Digest: digest(s, c.Value), Request: r}
	if s.Options.MaxAge > 0 {
		found.Expires = time.Now().Add(time.Duration(s.Options.MaxAge) * time.Second)
	}
	return found, nil
}

func (g *Gorilla) absent(err error) bool {
	if g.Absent != nil {
		return g.Absent(err)
	}
	return errors.Is(err, fs.ErrNotExist)
}

// digest tells sessions apart. A store on the server has an ID for each, which
// stays when Save writes the cookie anew; a CookieStore has the cookie alone. Its
// bytes count, not its text: base64 that isn't strict spells them in several ways.
func digest(s *sessions.Session, cookie string) [sha256.Size]byte {
	if s.ID != "" {
		return sha256.Sum256([]byte("gorilla\x00" + s.Name() + "\x00id\x00" + s.ID))
	}
	if b, err := base64.URLEncoding.DecodeString(cookie); err == nil {
		cookie = string(b)
	}
	return sha256.Sum256([]byte("gorilla\x00" + s.Name() + "\x00cookie\x00" + cookie))
}
