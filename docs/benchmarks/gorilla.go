package benchmarks

import (
	"net/http"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"
)

const gorillaName = "session"

// gorillaLibrary is gorilla/sessions as its documentation shows it, which needs
// no middleware: a handler asks for the session, and saves it.
type gorillaLibrary struct{ store *gorillaStore }

func newGorilla(c *memcache.Client) gorillaLibrary {
	return gorillaLibrary{&gorillaStore{
		client:  c,
		codecs:  securecookie.CodecsFromPairs(securecookie.GenerateRandomKey(32)),
		options: sessions.Options{Path: "/", MaxAge: int(24 * time.Hour / time.Second), HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode},
	}}
}

func (l gorillaLibrary) Name() string { return "gorilla" }

func (l gorillaLibrary) Close() error { return l.store.client.Close() }

func (l gorillaLibrary) Middleware(next http.Handler) http.Handler { return next }

// session returns a new session for what can't be decoded, as most users have it.
func (l gorillaLibrary) session(r *http.Request) *sessions.Session {
	s, _ := l.store.Get(r, gorillaName)
	return s
}

func (l gorillaLibrary) Login(w http.ResponseWriter, r *http.Request, u User) error {
	s := l.session(r)
	if err := l.store.forget(s); err != nil {
		return err
	}
	s.Values[counterKey] = 0
	for key, value := range u.all {
		s.Values[key] = value
	}
	return s.Save(r, w)
}

func (l gorillaLibrary) Value(r *http.Request, key string) string {
	v, _ := l.session(r).Values[key].(string)
	return v
}

func (l gorillaLibrary) Count(w http.ResponseWriter, r *http.Request) (int, error) {
	s := l.session(r)
	n, _ := s.Values[counterKey].(int)
	s.Values[counterKey] = n + 1
	return n + 1, s.Save(r, w)
}
