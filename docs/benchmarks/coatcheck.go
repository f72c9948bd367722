package benchmarks

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/tokens"
)

const counter session.Key[int] = counterKey

// ours is coatcheck with its defaults, but for what its name says, for the time
// that calls may take, and for its events: the default logs each request that it
// refuses, which no peer does, so that here nobody is told.
type ours struct {
	name  string
	store session.Store
	mw    *chimw.Middleware
	key   tokens.Key
}

func newOurs(name, addr string, edit func(*session.Config)) (*ours, error) {
	store, err := memcached.New(memcached.Config{Nodes: []string{addr}, Timeout: patience})
	if err != nil {
		return nil, err
	}
	return overStore(name, store, edit)
}

// sealed has keys with which records are encrypted, and made-up cookies refused
// without a store call.
func sealed(cfg *session.Config) { cfg.SealKeys = []session.SealKey{session.GenerateSealKey()} }

// refreshing has activity recorded so often that it happens in a short run too, by
// one request in forty to seventy. With the default, three minutes, that is a
// client that sends about one request in a second.
func refreshing(cfg *session.Config) { cfg.RefreshAfter = 100 * time.Millisecond }

func overStore(name string, store session.Store, edit func(*session.Config)) (*ours, error) {
	cfg := session.Config{Store: store, CommitTimeout: patience, Observe: func(context.Context, session.Event) {}}
	if edit != nil {
		edit(&cfg)
	}
	key := tokens.GenerateKey()
	manager, err1 := session.NewManager(cfg)
	signer, err2 := tokens.NewSigner(tokens.Config{Issuer: "bench", Keys: []tokens.Key{key}})
	mw, err3 := chimw.New(chimw.Config{Manager: manager, Tokens: signer})
	return &ours{name, store, mw, key}, errors.Join(err1, err2, err3)
}

func (o *ours) Name() string { return o.name }

func (o *ours) Key() []byte { return o.key.Reveal() }

func (o *ours) Close() error {
	if c, ok := o.store.(*memcached.Store); ok {
		return c.Close()
	}
	return nil
}

func (o *ours) Middleware(next http.Handler) http.Handler { return o.mw.Handler(next) }

func (o *ours) Login(_ http.ResponseWriter, r *http.Request, u User) error {
	s := session.FromContext(r.Context())
	s.Renew() // also for who was this user before
	s.SetSubject(u.Email)
	counter.Put(s, 0)
	for key, value := range u.all {
		session.Key[string](key).Put(s, value)
	}
	return nil
}

func (o *ours) Value(r *http.Request, key string) string {
	v, _ := session.Key[string](key).Get(session.FromContext(r.Context()))
	return v
}

func (o *ours) Count(_ http.ResponseWriter, r *http.Request) (int, error) {
	s := session.FromContext(r.Context())
	counter.Update(s, func(n int) int { return n + 1 })
	err := s.Commit(r.Context()) // the answer depends on what others have counted
	n, _ := counter.Get(s)
	return n, err
}

func (o *ours) Token(r *http.Request) (string, error) {
	t, err := o.mw.IssueToken(r.Context(), session.FromContext(r.Context()))
	return t.Reveal(), err
}
