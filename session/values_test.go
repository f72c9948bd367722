package session_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/session"
)

func TestValuesAreKept(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	s, c := begin(t, m)
	name.Put(s, "a<b")
	items.Update(s, func(v []string) []string { return append(v, "coat") })
	commit(t, s)
	s = load(t, m, c)
	if v, ok := name.Get(s); v != "a<b" || !ok {
		t.Errorf("name is %q, %v", v, ok)
	}
	if got, want := s.Keys(), []string{"count", "items", "name"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Keys are %v, want %v", got, want)
	}
	if v, ok := name.Pop(s); v != "a<b" || !ok {
		t.Errorf("Pop gives %q, %v", v, ok)
	}
	if v, ok := name.Get(s); ok {
		t.Errorf("after Pop there is still %q", v)
	}
	count.Delete(s)
	commit(t, s)
	if got, want := load(t, m, c).Keys(), []string{"items"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Keys are %v, want %v", got, want)
	}
	s = load(t, m, c)
	s.Clear()
	name.Put(s, "new")
	commit(t, s)
	if got, want := load(t, m, c).Keys(), []string{"name"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Keys are %v, want %v", got, want)
	}
}

func TestManyKeysMerge(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	s := m.New()
	want := map[string]int{}
	for i := range 300 {
		k := fmt.Sprintf("k%03d", i)
		session.Key[int](k).Put(s, i)
		want[k] = i
	}
	commit(t, s)
	s = load(t, m, s.Credential())
	for i := 0; i < 300; i += 3 {
		k := fmt.Sprintf("k%03d", i)
		session.Key[int](k).Delete(s)
		delete(want, k)
		session.Key[int](k+"x").Put(s, -i)
		want[k+"x"] = -i
	}
	commit(t, s)
	s = load(t, m, s.Credential())
	got := map[string]int{}
	for _, k := range s.Keys() {
		got[k], _ = session.Key[int](k).Get(s)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("values are %v, want %v", got, want)
	}
}

func TestBadValues(t *testing.T) {
	t.Parallel()
	const odd session.Key[any] = "odd"
	t.Run("an unencodable value is named and nothing is written", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		s, c := begin(t, m)
		count.Put(s, 2)
		odd.Put(s, func() {})
		if err := s.Commit(t.Context()); err == nil || !strings.Contains(err.Error(), `"odd"`) {
			t.Errorf("error is %v, want one that names the key", err)
		}
		wantCount(t, m, c, 1)
		odd.Put(s, "fine")
		commit(t, s)
		wantCount(t, m, c, 2)
	})
	t.Run("an unencodable update likewise", func(t *testing.T) {
		t.Parallel()
		s := newManager(t, session.Config{}).New()
		odd.Update(s, func(any) any { return make(chan int) })
		if err := s.Commit(t.Context()); err == nil || !strings.Contains(err.Error(), `"odd"`) {
			t.Errorf("error is %v, want one that names the key", err)
		}
	})
	for _, key := range []session.Key[int]{"", session.Key[int](strings.Repeat("k", 256))} {
		t.Run(fmt.Sprintf("a key of %d bytes", len(key)), func(t *testing.T) {
			t.Parallel()
			s := newManager(t, session.Config{}).New()
			key.Put(s, 1)
			if err := s.Commit(t.Context()); err == nil {
				t.Error("was committed")
			}
		})
	}
	t.Run("a value of another type reads as absent, with an event", func(t *testing.T) {
		t.Parallel()
		var seen events
		m := newManager(t, session.Config{Observe: seen.observe})
		_, c := begin(t, m)
		s := load(t, m, c)
		if v, ok := session.Key[[]string]("count").Get(s); ok || v != nil {
			t.Errorf("Get gives %v, %v", v, ok)
		}
		ev := seen.of(session.Unreadable)
		if len(ev) != 1 || ev[0].ID != s.ID() || !strings.Contains(ev[0].Err.Error(), "count") {
			t.Errorf("events are %v", ev)
		}
	})
	t.Run("too long a subject", func(t *testing.T) {
		t.Parallel()
		s := newManager(t, session.Config{}).New()
		s.SetSubject(strings.Repeat("s", 1025))
		if err := s.Commit(t.Context()); err == nil {
			t.Error("was committed")
		}
	})
}
