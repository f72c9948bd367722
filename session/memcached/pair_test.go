package memcached_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// A stage is a change from node a to node b, with a third in both lists, and a
// key that can't be drawn and moves. Both directions matter: which of the owners
// is written first depends on the names.
type stage struct {
	t             *testing.T
	before, after []string
	process       map[string]*memcached.Store
	from, to      *memcachedtest.Server
	key           string
}

func onStages(t *testing.T, f func(*stage)) {
	for _, way := range []string{"a to b", "b to a"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			servers, list := cluster(t, 3)
			before, after := []string{list[0], list[2]}, []string{list[1], list[2]}
			if way == "b to a" {
				before, after = after, before
				servers[0], servers[1] = servers[1], servers[0]
			}
			old, step1, step2, done := change(t, before, after)
			s := &stage{t: t, before: before, after: after, from: servers[0], to: servers[1], process: map[string]*memcached.Store{
				"old": old, "step1": step1, "step2": step2, "done": done,
			}}
			s.key = s.moving()
			f(s)
		})
	}
}

// moving finds a key that goes from the one server to the other.
func (s *stage) moving() string {
	for {
		key := externalKey()
		for name, server := range map[string]*memcachedtest.Server{"old": s.from, "done": s.to} {
			wants(s.t, s.process[name].Create(s.t.Context(), key, nil, time.Hour), nil)
			_, here := server.Dump(s.t)[key]
			wants(s.t, s.process[name].Delete(s.t.Context(), key), nil)
			if !here {
				key = ""
				break
			}
		}
		if key != "" {
			return key
		}
	}
}

func (s *stage) get(process string) (string, uint64) {
	s.t.Helper()
	value, version, err := s.process[process].Get(s.t.Context(), s.key)
	if errors.Is(err, session.ErrNotFound) {
		return "-", 0
	}
	wants(s.t, err, nil)
	return string(value), version
}

// do runs steps such as "old create v1", "step1 update v2", "step2 sees v2",
// "done misses", "from loses" (as by eviction, or the end of a marker).
func (s *stage) do(steps ...string) {
	s.t.Helper()
	for _, step := range steps {
		f := strings.Fields(step)
		process, ctx := s.process[f[0]], s.t.Context()
		var err error
		switch f[1] {
		case "create":
			err = process.Create(ctx, s.key, []byte(f[2]), time.Hour)
		case "update":
			_, version := s.get(f[0])
			err = process.Update(ctx, s.key, []byte(f[2]), version, time.Hour)
		case "sees":
			if got, _ := s.get(f[0]); got != f[2] {
				s.t.Errorf("%q of %q: it sees %s", step, steps, got)
			}
		case "misses":
			if got, _ := s.get(f[0]); got != "-" {
				s.t.Errorf("%q of %q: it sees %s", step, steps, got)
			}
		case "loses":
			err = map[string]*memcached.Store{"from": s.process["old"], "to": s.process["done"]}[f[0]].Delete(ctx, s.key)
		}
		if err != nil {
			s.t.Errorf("%q of %q: %v", step, steps, err)
		}
	}
}

func TestKeysThatAreNotDrawn(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]string{
		"M12 what the old ones create, the first step finds":                       {"old create 1", "step1 sees 1", "step1 update 2", "old sees 2", "old update 3", "step1 sees 3", "step1 update 4", "old sees 4"},
		"M12 what the first step creates, all find":                                {"step1 create 1", "old sees 1", "step1 sees 1", "step2 sees 1", "done sees 1"},
		"M12 what the second step creates, all find":                               {"step2 create 1", "old sees 1", "step1 sees 1", "step2 sees 1", "done sees 1"},
		"M12 both steps see each other's writes":                                   {"step1 create 1", "step2 update 2", "step1 sees 2", "step1 update 3", "step2 sees 3", "step2 update 4", "step1 update 5", "step2 sees 5"},
		"M12 what the new ones write, the second step finds":                       {"step1 create 1", "done update 2", "step2 sees 2", "step2 update 3", "done sees 3", "done update 4", "step2 sees 4"},
		"M12 what the new ones create, the second step finds":                      {"done create 1", "step2 sees 1", "step2 update 2", "done sees 2"},
		"M11 a copy left at the old owner does not rise when the end is forgotten": {"step1 create live", "done update end", "step2 sees end", "to loses", "step2 misses", "done misses"},
		"M11 a copy left at the new owner does not rise when the end is forgotten": {"step1 create live", "old update end", "step1 sees end", "from loses", "step1 misses", "old misses"},
		"M11 a copy from before an earlier change does not rise":                   {"old create live", "done create other", "to loses", "step2 misses", "step2 create new", "step2 sees new", "done sees new"},
		"M11 a copy without its twin does not rise":                                {"step1 create live", "from loses", "step1 misses", "step2 misses", "step2 create new", "step1 sees new", "done sees new"},
		"M12 a change that is taken back":                                          {"old create 1", "step1 update 2", "old update 3", "old sees 3", "step1 sees 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStages(t, func(s *stage) { s.do(steps...) })
		})
	}
}

// What one owner can't say, the other doesn't decide.
func TestBothOwnersMustAnswer(t *testing.T) {
	t.Parallel()
	onStages(t, func(s *stage) {
		s.do("step1 create live")
		_, version := s.get("step1")
		// The others wait for as long as a busy machine may need.
		waiting := []*memcached.Store{
			open(s.t, memcached.Config{Nodes: s.before, Agree: s.after, Timeout: 100 * time.Millisecond}),
			open(s.t, memcached.Config{Nodes: s.after, Agree: s.before, Timeout: 100 * time.Millisecond}),
		}
		for name, server := range map[string]*memcachedtest.Server{"from": s.from, "to": s.to} {
			server.Pause()
			for _, process := range waiting {
				_, _, err := process.Get(s.t.Context(), s.key)
				unknown(s.t, err)
				unknown(s.t, process.Update(s.t.Context(), s.key, []byte("end"), version, time.Hour))
				unknown(s.t, process.Create(s.t.Context(), s.key, nil, time.Hour))
			}
			server.Resume()
			await.Until(s.t, name+" to be found again", func() bool {
				_, _, err1 := waiting[0].Get(s.t.Context(), s.key)
				_, _, err2 := waiting[1].Get(s.t.Context(), s.key)
				return err1 == nil && err2 == nil
			})
		}
		s.do("step1 sees live", "step2 sees live")
	})
}
