package memcached_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// A size is what something takes in memcached: the items, and the memory that
// they are given, for these come in fixed sizes.
type size struct{ items, memory int }

// A sizing stores sessions and counts what they take.
type sizing struct {
	t       *testing.T
	server  *memcachedtest.Server
	manager *session.Manager
}

const sizedSessions = 100

// TestSizes measures what docs/operations.md says of them.
func TestSizes(t *testing.T) {
	t.Parallel()
	said := saidSizes(t)
	for _, row := range []struct {
		name string
		what func(*sizing) size
	}{
		{"a session with 100 bytes of values", func(s *sizing) size { return s.session(100) }},
		{"a session with 1,000 bytes of values", func(s *sizing) size { return s.session(1000) }},
		{"a session with 10,000 bytes of values", func(s *sizing) size { return s.session(10_000) }},
		{"a session with 100,000 bytes of values", func(s *sizing) size { return s.session(100_000) }},
		{"a marker, for 5 minutes", (*sizing).marker},
		{"a subject's list of one session", func(s *sizing) size { return s.listed(func(i int) string { return fmt.Sprint("subject-", i) }).each() }},
		{"a subject's list of 100 sessions", func(s *sizing) size { return s.listed(func(int) string { return "subject" }) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			plain, sealed := row.what(newSizing(t)), row.what(newSizing(t, session.GenerateSealKey()))
			want, ok := said[row.name]
			if got := [4]int{plain.items, plain.memory, sealed.items, sealed.memory}; !ok || !near(got, want) {
				t.Errorf("| %s | %d | %d | %d | %d |, not %v", row.name, got[0], got[1], got[2], got[3], want)
			}
		})
	}
}

func newSizing(t *testing.T, seal ...session.SealKey) *sizing {
	t.Helper()
	s := &sizing{t: t, server: memcachedtest.Start(t)}
	store := open(t, memcached.Config{Nodes: []string{s.server.Addr()}, Timeout: 5 * time.Second})
	var err error
	if s.manager, err = session.NewManager(session.Config{Store: store, SealKeys: seal}); err != nil {
		t.Fatal(err)
	}
	return s
}

// session is the size of one with that many bytes of values.
func (s *sizing) session(values int) size {
	s.t.Helper()
	before := s.taken()
	for range sizedSessions {
		s.store(values, "")
	}
	return s.taken().less(before).each()
}

// marker is the size of what a session leaves behind.
func (s *sizing) marker() size {
	s.t.Helper()
	before := s.taken()
	for range sizedSessions {
		one := s.store(100, "")
		one.Destroy()
		wants(s.t, one.Commit(s.t.Context()), nil)
	}
	return s.taken().less(before).each()
}

// listed is what sessions take more if they have subjects, whose names count
// for the sessions.
func (s *sizing) listed(subject func(i int) string) size {
	s.t.Helper()
	before := s.taken()
	for i := range sizedSessions {
		s.store(100+len(subject(i)), "")
	}
	alone := s.taken()
	for i := range sizedSessions {
		s.store(100, subject(i))
	}
	return s.taken().less(alone).less(alone.less(before))
}

func (s *sizing) store(values int, subject string) *session.Session {
	s.t.Helper()
	one := s.manager.New()
	session.Key[string]("k").Put(one, strings.Repeat("x", values-len(`k""`)))
	if subject != "" {
		one.SetSubject(subject)
	}
	wants(s.t, one.Commit(s.t.Context()), nil)
	return one
}

func (a size) less(b size) size { return size{a.items - b.items, a.memory - b.memory} }
func (a size) each() size       { return size{a.items / sizedSessions, a.memory / sizedSessions} }

func (s *sizing) taken() (all size) {
	s.t.Helper()
	all.items = s.server.Stat(s.t, "bytes")
	slabs := s.server.Stats(s.t, "slabs")
	for name, used := range slabs {
		if class, ok := strings.CutSuffix(name, ":used_chunks"); ok {
			all.memory += number(s.t, used) * number(s.t, slabs[class+":chunk_size"])
		}
	}
	return all
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// saidSizes reads the table.
func saidSizes(t *testing.T) map[string][4]int {
	t.Helper()
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	said := make(map[string][4]int)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 5 {
			continue
		}
		var n [4]int
		numbers := strings.ReplaceAll(strings.Join(cells[1:], " "), ",", "")
		if k, _ := fmt.Sscan(numbers, &n[0], &n[1], &n[2], &n[3]); k == 4 {
			said[strings.TrimSpace(cells[0])] = n
		}
	}
	return said
}

// near allows for other versions of memcached.
func near(got, want [4]int) bool {
	for i := range got {
		if off := got[i] - want[i]; 20*max(off, -off) > want[i] {
			return false
		}
	}
	return true
}
