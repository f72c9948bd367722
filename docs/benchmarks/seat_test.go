package benchmarks_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coatcheck/coatcheck/docs/benchmarks"
)

// A seat is a client, and what it should be answered.
type seat struct {
	*benchmarks.Client
	user   benchmarks.User
	target string
	count  int
}

// seats returns n clients of so many sessions: of several for one session, all
// show what the first was given.
func (w work) seats(l benchmarks.Library, sessions, n int) ([]*seat, error) {
	users := make([]benchmarks.User, sessions)
	for i := range users {
		users[i] = benchmarks.NewUser(i, w.bytes, w.keys)
	}
	h := benchmarks.Routes(l, func(key string) benchmarks.User {
		i, _ := strconv.Atoi(key)
		return users[i]
	})
	seats := make([]*seat, n)
	for i := range seats {
		if i >= sessions {
			c := *seats[i%sessions].Client
			seats[i] = &seat{Client: &c, user: users[i%sessions], target: w.target}
			continue
		}
		seats[i] = &seat{Client: benchmarks.NewClient(h, w.by), user: users[i], target: w.target}
		if w.name == "login" {
			seats[i].target += strconv.Itoa(i)
		}
		if w.by == benchmarks.ByNothing {
			continue
		}
		if err := errors.Join(seats[i].Login(l, strconv.Itoa(i)), w.prepare(l, seats[i])); err != nil {
			return nil, err
		}
	}
	return seats, nil
}

func (w work) prepare(l benchmarks.Library, s *seat) error {
	switch w.shows {
	case forged:
		s.Forge()
	case expired:
		return s.Expire(l.(benchmarks.KeyHolder).Key())
	}
	return nil
}

// each sends a request n times in all, by so many goroutines, and returns the
// first mistake in an answer.
func (w work) each(seats []*seat, clients, n int) error {
	return concurrently(clients, n, func(client, i int) error {
		own := (len(seats) - client + clients - 1) / clients
		return w.once(seats[client+i%own*clients])
	})
}

func (w work) once(s *seat) error {
	res := s.Do(w.method, s.target)
	if err := w.check(s, res); err != nil {
		return fmt.Errorf("%s %s: %w: status %d, %q", w.method, s.target, err, res.Code, res.Body)
	}
	return nil
}

// shared reports whether clients count on the same counter at the same time.
func (w work) shared() bool { return w.sessions == 1 && w.target == "/count" }

// countShared counts once more on a counter that is shared, and returns it.
func (s *seat) countShared(w work) int {
	if !w.shared() {
		return 0
	}
	n, _ := strconv.Atoi(s.Do(w.method, w.target).Body.String())
	return n
}

// concurrently has f called n times in all, by so many goroutines, until it fails.
func concurrently(clients, n int, f func(client, i int) error) error {
	var next atomic.Int64
	var failed error
	var once sync.Once
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			for i := 0; next.Add(1) <= int64(n); i++ {
				if err := f(client, i); err != nil {
					once.Do(func() { failed = err })
					next.Store(int64(n))
				}
			}
		})
	}
	wg.Wait()
	return failed
}

// A check returns what is wrong with an answer.
type check func(s *seat, res *httptest.ResponseRecorder) error

var (
	errStatus     = errors.New("another status was due")
	errBody       = errors.New("another body was due")
	errCredential = errors.New("a fresh credential was due")
)

func says(text func(s *seat) string) check {
	return func(s *seat, res *httptest.ResponseRecorder) error {
		switch {
		case res.Code != http.StatusOK:
			return errStatus
		case !bytes.Equal(res.Body.Bytes(), []byte(text(s))):
			return errBody
		}
		return nil
	}
}

var (
	hello   = says(func(*seat) string { return benchmarks.Hello })
	email   = says(func(s *seat) string { return s.user.Email })
	nothing = says(func(*seat) string { return "" })
	next    = says(func(s *seat) string { s.count++; return strconv.Itoa(s.count) })
)

func refused(_ *seat, res *httptest.ResponseRecorder) error {
	if res.Code != http.StatusUnauthorized {
		return errStatus
	}
	return nil
}

// number is what a counter says that others count on, too.
func number(_ *seat, res *httptest.ResponseRecorder) error {
	if n, err := strconv.Atoi(res.Body.String()); res.Code != http.StatusOK || err != nil || n < 1 {
		return errBody
	}
	return nil
}

func renewed(s *seat, res *httptest.ResponseRecorder) error {
	if h := res.Header(); len(h["Set-Cookie"])+len(h["X-Auth-Token"]) == 0 {
		return errCredential
	}
	return hello(s, res)
}

// A counter is a memcached that says what it has counted.
type counter interface {
	Stats(t testing.TB, kind ...string) map[string]string
}

// calls returns how many calls a memcached has answered.
func calls(t testing.TB, m counter) int {
	stats, n := m.Stats(t), 0
	for _, name := range []string{"cmd_get", "cmd_set", "cmd_touch", "cmd_meta", "delete_hits", "delete_misses", "incr_hits", "incr_misses", "decr_hits", "decr_misses"} {
		v, err := strconv.Atoi(stats[name])
		if err != nil {
			t.Fatalf("stat %s: %v", name, err)
		}
		n += v
	}
	return n
}
