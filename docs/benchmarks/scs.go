package benchmarks

import (
	"errors"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/bradfitz/gomemcache/memcache"
)

// scsLibrary is scs as its documentation shows it.
type scsLibrary struct {
	name    string
	manager *scs.SessionManager
}

func newSCS(name string, store scs.Store, idle time.Duration) *scsLibrary {
	m := scs.New()
	m.Store = store
	m.IdleTimeout = idle
	return &scsLibrary{name, m}
}

func (l *scsLibrary) Close() error {
	if s, ok := l.manager.Store.(scsStore); ok {
		return s.client.Close()
	}
	return nil
}

func (l *scsLibrary) Name() string { return l.name }

func (l *scsLibrary) Middleware(next http.Handler) http.Handler { return l.manager.LoadAndSave(next) }

func (l *scsLibrary) Login(_ http.ResponseWriter, r *http.Request, u User) error {
	ctx := r.Context()
	if err := l.manager.RenewToken(ctx); err != nil {
		return err
	}
	l.manager.Put(ctx, counterKey, 0)
	for key, value := range u.all {
		l.manager.Put(ctx, key, value)
	}
	return nil
}

func (l *scsLibrary) Value(r *http.Request, key string) string {
	return l.manager.GetString(r.Context(), key)
}

func (l *scsLibrary) Count(_ http.ResponseWriter, r *http.Request) (int, error) {
	n := l.manager.GetInt(r.Context(), counterKey) + 1
	l.manager.Put(r.Context(), counterKey, n)
	return n, nil
}

// scsStore is the memcached store that scs does not ship: its three calls.
type scsStore struct{ client *memcache.Client }

func (s scsStore) Find(token string) ([]byte, bool, error) {
	item, err := s.client.Get("scs:" + token)
	if errors.Is(err, memcache.ErrCacheMiss) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return item.Value, true, nil
}

func (s scsStore) Commit(token string, b []byte, expiry time.Time) error {
	return s.client.Set(&memcache.Item{Key: "scs:" + token, Value: b, Expiration: seconds(time.Until(expiry))})
}

func (s scsStore) Delete(token string) error { return remove(s.client, "scs:"+token) }

func remove(c *memcache.Client, key string) error {
	if err := c.Delete(key); !errors.Is(err, memcache.ErrCacheMiss) {
		return err
	}
	return nil
}

func seconds(d time.Duration) int32 { return int32(d / time.Second) } //nolint:gosec // of at most 30 days
