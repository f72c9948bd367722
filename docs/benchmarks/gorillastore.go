package benchmarks

import (
	"encoding/base32"
	"net/http"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"
)

// gorillaStore is a store for gorilla/sessions of the usual shape, which is that
// of its own FilesystemStore: the cookie holds the signed ID, and memcached the
// values, encoded by gob.
type gorillaStore struct {
	client  *memcache.Client
	codecs  []securecookie.Codec
	options sessions.Options
}

var _ sessions.Store = (*gorillaStore)(nil)

func (s *gorillaStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

func (s *gorillaStore) New(r *http.Request, name string) (*sessions.Session, error) {
	session := sessions.NewSession(s, name)
	options := s.options
	session.Options = &options
	session.IsNew = true
	c, err := r.Cookie(name)
	if err != nil {
		return session, nil //nolint:nilerr // no cookie is no mistake
	}
	if err := securecookie.DecodeMulti(name, c.Value, &session.ID, s.codecs...); err != nil {
		return session, err
	}
	item, err := s.client.Get("gorilla:" + session.ID)
	if err != nil {
		return session, err
	}
	if err := (securecookie.GobEncoder{}).Deserialize(item.Value, &session.Values); err != nil {
		return session, err
	}
	session.IsNew = false
	return session, nil
}

var base32Encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

func (s *gorillaStore) Save(_ *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	if session.ID == "" {
		session.ID = base32Encoding.EncodeToString(securecookie.GenerateRandomKey(32))
	}
	value, err := securecookie.GobEncoder{}.Serialize(session.Values)
	if err != nil {
		return err
	}
	age := time.Duration(session.Options.MaxAge) * time.Second
	if err := s.client.Set(&memcache.Item{Key: "gorilla:" + session.ID, Value: value, Expiration: seconds(age)}); err != nil {
		return err
	}
	cookie, err := securecookie.EncodeMulti(session.Name(), session.ID, s.codecs...)
	if err != nil {
		return err
	}
	http.SetCookie(w, sessions.NewCookie(session.Name(), cookie, session.Options))
	return nil
}

// forget has the session saved under a new ID next time.
func (s *gorillaStore) forget(session *sessions.Session) error {
	if session.IsNew {
		return nil
	}
	id := session.ID
	session.ID = ""
	return remove(s.client, "gorilla:"+id)
}
