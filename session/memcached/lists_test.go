package memcached_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/storetest"
)

func drawnKey() string {
	id := uuid.New()
	return "session:" + base64.RawURLEncoding.EncodeToString(id[:])
}

func externalKey() string {
	id := uuid.New()
	id[6] = id[6]&0x0f | 0x80
	return "session:" + base64.RawURLEncoding.EncodeToString(id[:])
}

// draw draws keys until a process would use one.
func draw(s *memcached.Store) string {
	for {
		if key := drawnKey(); s.Available(key) {
			return key
		}
	}
}

func TestListsThatAreRefused(t *testing.T) {
	t.Parallel()
	a, b := []string{"a=one.example:1", "b=two.example:2"}, []string{"b=two.example:2", "c=three.example:3"}
	for _, test := range []struct {
		name         string
		nodes, agree []string
		want         []string
	}{
		{"in order", a, b, nil},
		{"no change", a, nil, nil},
		{"the same twice", a, a, nil},
		{"no node in common", a, []string{"c=three.example:3", "d=four.example:4"}, []string{"agree"}},
		{"a name with two addresses", a, []string{"b=two.example:2", "a=three.example:3"}, []string{"agree[1]"}},
		{"an address with two names", a, []string{"c=one.example:1", "b=two.example:2"}, []string{"agree[0]"}},
		{"mistakes in both", []string{"a=one.example:1", "x"}, []string{"y", "a=one.example:1"}, []string{"nodes[1]", "agree[0]"}},
		{"nothing", nil, nil, []string{"nodes"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, memcached.Config{Nodes: []string{"old.example:1"}})
			var want []string
			for _, field := range test.want {
				want = append(want, "memcached.SetNodes."+field)
			}
			if got := fields(s.SetNodes(test.nodes, test.agree)); !slices.Equal(got, want) {
				t.Errorf("SetNodes: mistakes in %q, want %q", got, want)
			}
			if _, err := memcached.New(memcached.Config{Nodes: test.nodes, Agree: test.agree}); (err == nil) != (want == nil) {
				t.Errorf("New: %v", err)
			}
			if got := len(s.Health(t.Context())); want != nil && got != 1 {
				t.Errorf("lists with mistakes were taken over: %d nodes", got)
			}
		})
	}
}

func TestSetNodesOfAStoreThatIsNone(t *testing.T) {
	t.Parallel()
	closed := open(t, memcached.Config{Nodes: []string{"a.example:1"}})
	closed.Close()
	for name, s := range map[string]*memcached.Store{"nil": nil, "zero": new(memcached.Store), "closed": closed} {
		if s.SetNodes([]string{"b.example:1"}, nil) == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Nodes that stay keep their connections, those that go lose them: of a fake's,
// no finalizer closes one that was forgotten.
func TestSetNodesKeepsConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fakes := make(map[string]*fake)
		for _, name := range []string{"a", "b", "c"} {
			fakes[name+".example:11211"] = &fake{answer: func(int, string) string { return "END\r\n" }, closed: make(chan struct{}, 10)}
		}
		s := open(t, memcached.Config{Nodes: nodes("a", "b"), DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return fakes[address].dial(ctx, network, address)
		}})
		defer s.Close()
		touch := func() {
			for _, key := range keys(50) {
				_, _, err := s.Get(t.Context(), key)
				wants(t, err, session.ErrNotFound)
			}
		}
		touch()
		wants(t, s.SetNodes(nodes("b", "c"), nil), nil)
		touch()
		synctest.Wait()
		for which, want := range map[string]struct{ made, closed int }{"a": {1, 1}, "b": {1, 0}, "c": {1, 0}} {
			f := fakes[which+".example:11211"]
			if made, closed := f.connections(), len(f.closed); made != want.made || closed != want.closed {
				t.Errorf("node %s: %d connections made, %d closed, want %d and %d", which, made, closed, want.made, want.closed)
			}
		}
	})
}

func TestNodesTellsTheLists(t *testing.T) {
	t.Parallel()
	s := open(t, memcached.Config{Nodes: nodes("b", "a"), Agree: nodes("c", "a")})
	tells := func(wantNodes, wantAgree []string) {
		t.Helper()
		if got, agree := s.Nodes(); !slices.Equal(got, wantNodes) || !slices.Equal(agree, wantAgree) {
			t.Errorf("%q and %q, want %q and %q", got, agree, wantNodes, wantAgree)
		}
	}
	tells([]string{"b", "a"}, []string{"c", "a"})
	if s.SetNodes(nodes("a"), nodes("b")) == nil {
		t.Error("lists that share no node were taken over")
	}
	tells([]string{"b", "a"}, []string{"c", "a"})
	got, agree := s.Nodes()
	got[0], agree[0] = "x", "x"
	tells([]string{"b", "a"}, []string{"c", "a"})
	wants(t, s.SetNodes([]string{"one.example:1", "b=two.example:2"}, nil), nil)
	tells([]string{"one.example:1", "b"}, nil)
	s.Close()
	tells([]string{"one.example:1", "b"}, nil)
	for name, none := range map[string]*memcached.Store{"nil": nil, "zero": new(memcached.Store)} {
		if got, agree := none.Nodes(); got != nil || agree != nil {
			t.Errorf("%s: %q and %q", name, got, agree)
		}
	}
}

func TestSetNodesUnderLoad(t *testing.T) {
	t.Parallel()
	_, list := cluster(t, 3)
	s := open(t, memcached.Config{Nodes: list, Timeout: 5 * time.Second})
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				for _, key := range []string{drawnKey(), externalKey()} {
					if err := s.Create(t.Context(), key, nil, time.Hour); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for i := range 60 {
		lists := [][]string{list, list[:2], list[1:]}
		wants(t, s.SetNodes(lists[i%3], lists[(i+i/3)%3]), nil)
		s.Health(t.Context())
	}
	stop()
	wg.Wait()
}

// The processes of a change that is under way, by the lists that they know.
func change(t *testing.T, before, after []string) (old, step1, step2, done *memcached.Store) {
	process := func(nodes, agree []string) *memcached.Store {
		return open(t, memcached.Config{Nodes: nodes, Agree: agree, Timeout: 5 * time.Second})
	}
	return process(before, nil), process(before, after), process(after, before), process(after, nil)
}

// Whoever places a session that any process of the change may look for, all that
// can be there at that time find it.
func TestDrawnKeysAreFoundByAll(t *testing.T) {
	t.Parallel()
	_, six := cluster(t, 6)
	five := six[:5]
	for _, test := range []struct {
		name          string
		before, after []string
	}{
		{"M12 a node is added", five, six},
		{"M12 a node is removed", six, five},
		{"M12 a node is replaced", five, append([]string{six[5]}, five[1:]...)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			old, step1, step2, done := change(t, test.before, test.after)
			found := func(key string, by ...*memcached.Store) {
				for i, s := range by {
					if _, _, err := s.Get(t.Context(), key); err != nil {
						t.Errorf("process %d misses %s: %v", i, key, err)
					}
				}
			}
			draws := 0
			for range 300 {
				before := draw(old)
				wants(t, old.Create(t.Context(), before, nil, time.Hour), nil)
				found(before, old, step1)
				key := drawnKey()
				for draws++; !step1.Available(key); draws++ {
					key = drawnKey()
				}
				if !step2.Available(key) {
					t.Error("the order of the lists decides what is drawn")
				}
				wants(t, step1.Create(t.Context(), key, nil, time.Hour), nil)
				found(key, old, step1, step2, done)
			}
			if draws > 300*2 { // 6/5 for one node more or less, 6/4 for a replaced one
				t.Errorf("%d draws for 300 keys", draws)
			}
		})
	}
}

// While the only node that two lists share is down, sessions have no place: one
// that is not found at the next step would be lost.
func TestNoPlaceWhereListsDiffer(t *testing.T) {
	t.Parallel()
	servers, list := cluster(t, 3)
	_, step1, _, _ := change(t, list[:2], list[1:])
	servers[1].Stop()
	m, err := session.NewManager(session.Config{Store: step1})
	if err != nil {
		t.Fatal(err)
	}
	stored := 0
	for range 50 {
		s := m.New()
		session.Key[int]("n").Put(s, 1)
		if s.Commit(t.Context()) == nil {
			stored++
		}
	}
	for range 1000 {
		if key := drawnKey(); step1.Available(key) {
			t.Fatal("M12 a key is available on which the lists differ, or whose node is down")
		}
	}
	if stored > 0 {
		t.Errorf("M12 %d sessions were stored where only this step finds them", stored)
	}
}

// With all nodes in doubt, new sessions are placed as if there were none.
func TestAllInDoubt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(_ int, command string) string {
			if strings.HasPrefix(command, "delete bad") {
				return "SERVER_ERROR\r\n"
			}
			return "NOT_FOUND\r\n"
		}}
		s := open(t, memcached.Config{Nodes: []string{"a=a.example:1", "b=b.example:2"}, DialContext: f.dial})
		defer s.Close()
		unknown(t, s.Delete(t.Context(), "bad0"))
		available := func() (n int) {
			for _, key := range keys(100) {
				if s.Available(key) {
					n++
				}
			}
			return n
		}
		if n := available(); n < 20 || n > 80 {
			t.Errorf("%d of 100 keys are available with one node of two in doubt", n)
		}
		for i := range 10 {
			unknown(t, s.Delete(t.Context(), fmt.Sprint("bad", i)))
		}
		if n := available(); n != 100 {
			t.Errorf("%d of 100 keys are available with both in doubt", n)
		}
	})
}

func TestAbruptChangeLosesAShare(t *testing.T) {
	t.Parallel()
	_, six := cluster(t, 6)
	s := open(t, memcached.Config{Nodes: six[:5], Timeout: 5 * time.Second})
	all := make([]string, 3000)
	for i := range all {
		all[i] = draw(s)
		wants(t, s.Create(t.Context(), all[i], nil, time.Hour), nil)
	}
	wants(t, s.SetNodes(six, nil), nil)
	missed := 0
	for _, key := range all {
		if _, _, err := s.Get(t.Context(), key); errors.Is(err, session.ErrNotFound) {
			missed++
		}
	}
	t.Run("M12 a node added abruptly costs about 1/6", func(t *testing.T) {
		if missed < 400 || missed > 600 {
			t.Errorf("%d of 3000 are missed, want about 500", missed)
		}
	})
}

// alternating uses one process after another, as requests of one client do.
type alternating struct {
	mu        sync.Mutex
	turn      int
	processes []*memcached.Store
}

func (a *alternating) next() *memcached.Store {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turn++
	return a.processes[a.turn%len(a.processes)]
}

func (a *alternating) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	return a.next().Get(ctx, key)
}

func (a *alternating) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	return a.next().Create(ctx, key, value, ttl)
}

func (a *alternating) Update(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
	return a.next().Update(ctx, key, value, version, ttl)
}

func (a *alternating) Delete(ctx context.Context, key string) error { return a.next().Delete(ctx, key) }

// While the lists change places, processes with either order are one store to
// keys that can't be drawn.
func TestConformanceDuringAChange(t *testing.T) {
	t.Parallel()
	_, list := cluster(t, 3)
	_, step1, step2, _ := change(t, list[:2], list[1:])
	storetest.Run(t, func(*testing.T) session.Store {
		return &alternating{processes: []*memcached.Store{step1, step2}}
	})
}
