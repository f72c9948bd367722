package session_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

const (
	count session.Key[int]      = "count"
	name  session.Key[string]   = "name"
	items session.Key[[]string] = "items"
)

var errLost = errors.New("the answer was lost")

// store lets a test stand between a manager and its store: before and after see
// each call ("get", "create", "update", "delete") and may fail it, or do what
// another request would do at just that moment. What they do themselves isn't seen.
type store struct {
	session.Store
	mu     sync.Mutex
	calls  map[string]int
	before func(op, key string) error // its error replaces the call
	after  func(op, key string) error // its error replaces the answer, once applied
}

func newStore() *store { return &store{Store: new(memory.Store), calls: map[string]int{}} }

func (s *store) hook(h *func(op, key string) error, op, key string) error {
	s.mu.Lock()
	f := *h
	*h = nil
	s.mu.Unlock()
	if f == nil {
		return nil
	}
	err := f(op, key)
	s.mu.Lock()
	if *h == nil {
		*h = f
	}
	s.mu.Unlock()
	return err
}

func (s *store) do(op, key string, call func() error) error {
	s.mu.Lock()
	s.calls[op]++
	s.calls["any"]++
	s.mu.Unlock()
	if err := s.hook(&s.before, op, key); err != nil {
		return err
	}
	err := call()
	if lost := s.hook(&s.after, op, key); lost != nil {
		return lost
	}
	return err
}

func (s *store) Get(ctx context.Context, key string) (value []byte, version uint64, err error) {
	err = s.do("get", key, func() (err error) { value, version, err = s.Store.Get(ctx, key); return err })
	return value, version, err
}

func (s *store) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	return s.do("create", key, func() error { return s.Store.Create(ctx, key, value, ttl) })
}

func (s *store) Update(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
	return s.do("update", key, func() error { return s.Store.Update(ctx, key, value, version, ttl) })
}

func (s *store) Delete(ctx context.Context, key string) error {
	return s.do("delete", key, func() error { return s.Store.Delete(ctx, key) })
}

func (s *store) count(op string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[op]
}

// once makes a hook that fires at the nth call of an operation only.
func once(op string, n int, f func() error) func(string, string) error {
	return func(got, _ string) error {
		if got != op {
			return nil
		}
		if n--; n != 0 {
			return nil
		}
		return f()
	}
}

// lose makes a hook that loses the answer of the nth call of an operation.
func lose(op string, n int) func(string, string) error {
	return once(op, n, func() error { return errLost })
}

// events records what a manager reports.
type events struct {
	mu  sync.Mutex
	all []session.Event
}

func (e *events) observe(_ context.Context, ev session.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, ev)
}

func (e *events) of(kind session.Kind) (found []session.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.all {
		if ev.Kind == kind {
			found = append(found, ev)
		}
	}
	return found
}

func newManager(t testing.TB, cfg session.Config) *session.Manager {
	t.Helper()
	if cfg.Store == nil {
		cfg.Store = newStore()
	}
	if cfg.Observe == nil {
		cfg.Observe = new(events).observe
	}
	m, err := session.NewManager(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// begin stores a new session with count 1, and returns what its client holds.
func begin(t testing.TB, m *session.Manager) (*session.Session, session.Credential) {
	t.Helper()
	s := m.New()
	count.Put(s, 1)
	commit(t, s)
	return s, s.Credential()
}

func commit(t testing.TB, s *session.Session) {
	t.Helper()
	if err := s.Commit(t.Context()); err != nil {
		t.Fatalf("Commit: %v", err)
	}
}

func load(t testing.TB, m *session.Manager, c session.Credential) *session.Session {
	t.Helper()
	s, err := m.Load(t.Context(), c)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return s
}

// wantCount checks what a client sees.
func wantCount(t testing.TB, m *session.Manager, c session.Credential, want int) {
	t.Helper()
	if n, _ := count.Get(load(t, m, c)); n != want {
		t.Errorf("count is %d, want %d", n, want)
	}
}

func wantDead(t testing.TB, m *session.Manager, c session.Credential) {
	t.Helper()
	s, err := m.Load(t.Context(), c)
	if !errors.Is(err, session.ErrNotFound) && !errors.Is(err, session.ErrRenewed) {
		t.Errorf("Load gives %v, %v: want the credential dead", s, err)
	}
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v, want %v", err, want)
	}
}

func increment(n int) int { return n + 1 }

// bubble runs a subtest in a bubble of its own time.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// login stores a new session of a subject's.
func login(t testing.TB, m *session.Manager, subject string) *session.Session {
	t.Helper()
	s := m.New()
	s.SetSubject(subject)
	commit(t, s)
	return s
}

// loginAtOnce lets alice sign in n times at the same time.
func loginAtOnce(t *testing.T, m *session.Manager, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			s := m.New()
			s.SetSubject("alice")
			if err := s.Commit(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// ids lists a subject's sessions.
func ids(t testing.TB, m *session.Manager, subject string) []session.ID {
	t.Helper()
	live, err := m.List(t.Context(), subject)
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	var ids []session.ID
	for _, s := range live {
		ids = append(ids, s.ID)
	}
	return ids
}

func wantIDs(t testing.TB, m *session.Manager, subject string, want ...session.ID) {
	t.Helper()
	got := ids(t, m, subject)
	order := func(a, b session.ID) int { return strings.Compare(a.String(), b.String()) }
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	if !slices.Equal(got, want) {
		t.Errorf("%s's sessions are %v, want %v", subject, got, want)
	}
}

func external(t testing.TB, m *session.Manager) *session.Session {
	t.Helper()
	s, err := m.LoadExternal(t.Context(), externalID(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func externalID(t testing.TB) session.ID {
	t.Helper()
	id, err := session.ParseID("0f4e3c2b-1a09-8877-a655-443322110f0e")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func key(c session.Credential) string {
	id := c.ID()
	return "session:" + encodeID(id)
}

func encodeID(id session.ID) string { return base64.RawURLEncoding.EncodeToString(id[:]) }

func rawValue(t *testing.T, st *store, c session.Credential) []byte {
	t.Helper()
	value, _, err := st.Store.Get(t.Context(), key(c))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func overwrite(t *testing.T, st *store, c session.Credential, value []byte) {
	t.Helper()
	_, version, err := st.Store.Get(t.Context(), key(c))
	if err == nil {
		err = st.Store.Update(t.Context(), key(c), value, version, time.Hour)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// eachWay runs a subtest without seal keys, and with two.
func eachWay(t *testing.T, name string, f func(t *testing.T, m *session.Manager)) {
	for _, keys := range [][]session.SealKey{nil, {session.GenerateSealKey(), session.GenerateSealKey()}} {
		t.Run(fmt.Sprintf("%s, with %d seal keys", name, len(keys)), func(t *testing.T) {
			t.Parallel()
			f(t, newManager(t, session.Config{SealKeys: keys}))
		})
	}
}
