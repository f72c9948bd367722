package benchmarks

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/google/uuid"
)

const plainName = "id"

// plain is gomemcache and nothing else, the floor: a cookie that is a key, and
// lines of text under it that are searched for one name. Nothing expires by
// itself, nothing is checked, and of two concurrent writes one is lost.
type plain struct {
	name   string
	client *memcache.Client
}

func (l plain) Name() string { return l.name }

func (l plain) Close() error { return l.client.Close() }

type plainSession struct {
	id    string
	lines string
}

type plainContext struct{}

func (l plain) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := l.load(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), plainContext{}, s)))
	})
}

func (l plain) load(r *http.Request) (*plainSession, error) {
	c, err := r.Cookie(plainName)
	if err != nil {
		return &plainSession{}, nil //nolint:nilerr // no cookie is no mistake
	}
	item, err := l.client.Get(c.Value)
	if errors.Is(err, memcache.ErrCacheMiss) {
		return &plainSession{}, nil
	}
	if err != nil {
		return nil, err
	}
	return &plainSession{c.Value, string(item.Value)}, nil
}

func (s *plainSession) value(key string) string {
	_, rest, _ := strings.Cut(s.lines, "\n"+key+"=")
	value, _, _ := strings.Cut(rest, "\n")
	return value
}

func (l plain) session(r *http.Request) *plainSession {
	s, _ := r.Context().Value(plainContext{}).(*plainSession)
	return s
}

func (l plain) Value(r *http.Request, key string) string { return l.session(r).value(key) }

func (l plain) Login(w http.ResponseWriter, r *http.Request, u User) error {
	if old := l.session(r); old.id != "" {
		if err := remove(l.client, old.id); err != nil {
			return err
		}
	}
	var b strings.Builder
	b.WriteString("\n" + counterKey + "=0")
	for key, value := range u.all {
		b.WriteString("\n" + key + "=" + value)
	}
	id := uuid.NewString()
	http.SetCookie(w, &http.Cookie{Name: plainName, Value: id, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return l.save(id, b.String())
}

func (l plain) Count(_ http.ResponseWriter, r *http.Request) (int, error) {
	s := l.session(r)
	old := s.value(counterKey)
	n, err := strconv.Atoi(old)
	if err != nil {
		return 0, err
	}
	const line = "\n" + counterKey + "="
	return n + 1, l.save(s.id, strings.Replace(s.lines, line+old, line+strconv.Itoa(n+1), 1))
}

func (l plain) save(id, lines string) error {
	return l.client.Set(&memcache.Item{Key: id, Value: []byte(lines), Expiration: seconds(time.Hour)})
}
