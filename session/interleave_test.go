package session_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/coatcheck/coatcheck/session"
)

// act is something that a request does to its session.
type act struct {
	name  string
	do    func(*session.Session)
	adds  int  // to count, if it is committed
	ends  bool // the session
	moves bool // it to a new ID
}

var acts = []act{
	{name: "update", do: func(s *session.Session) { count.Update(s, increment) }, adds: 1},
	{name: "renew", do: func(s *session.Session) { count.Update(s, increment); s.Renew() }, adds: 1, moves: true},
	{name: "login", do: func(s *session.Session) { count.Update(s, increment); s.SetSubject("alice") }, adds: 1, moves: true},
	{name: "destroy", do: func(s *session.Session) { s.Destroy() }, ends: true},
}

// TestInterleavings lets one request run between any two store calls of
// another's commit, for every pair, every position and both ways of losing
// an answer, and checks what must hold whatever happened.
func TestInterleavings(t *testing.T) {
	t.Parallel()
	for _, keys := range []int{0, 1} {
		for _, a := range acts {
			for _, b := range acts {
				for at := 1; at <= 6; at++ {
					for _, answer := range []string{"kept", "never sent", "lost"} {
						t.Run(fmt.Sprintf("S8 S6 M13 %d keys %s meets %s at call %d with its answer %s", keys, a.name, b.name, at, answer), func(t *testing.T) {
							t.Parallel()
							interleave(t, keys, a, b, at, answer)
						})
					}
				}
			}
		}
	}
}

func interleave(t *testing.T, keys int, a, b act, at int, answer string) {
	st := newStore()
	cfg := session.Config{Store: st}
	for range keys {
		cfg.SealKeys = append(cfg.SealKeys, session.GenerateSealKey())
	}
	mA, cfgB := newManager(t, cfg), cfg
	mB := newManager(t, cfgB) // another process: no lock is shared
	_, c := begin(t, mA)
	sA, sB := load(t, mA, c), load(t, mB, c)
	a.do(sA)
	b.do(sB)

	n, ran := 0, false
	var errB error
	intrude := func(string, string) error {
		if n++; n != at {
			return nil
		}
		ran, errB = true, sB.Commit(t.Context())
		if answer == "kept" {
			return nil
		}
		return errLost
	}
	if answer == "lost" {
		st.after = intrude
	} else {
		st.before = intrude
	}
	errA := sA.Commit(t.Context())
	st.before, st.after = nil, nil
	if !ran {
		if at == 1 {
			t.Error("the commit makes no call at all")
		}
		return // the commit makes fewer calls
	}
	done := []result{{a, errA, sA.Credential()}, {b, errB, sB.Credential()}}
	checkOutcome(t, mA, c, done)
}

type result struct {
	act
	err error
	c   session.Credential
}

func checkOutcome(t *testing.T, m *session.Manager, c session.Credential, done []result) {
	t.Helper()
	atLeast, atMost, ended, moved, inDoubt, logins := 1, 1, false, false, false, 0
	for _, r := range done {
		switch {
		case r.err == nil:
			atLeast += r.adds
			atMost += r.adds
			ended = ended || r.ends
			moved = moved || r.moves
			if r.name == "login" {
				logins++
			}
		case errors.Is(r.err, session.ErrUnavailable):
			atMost += r.adds
			inDoubt = true
		case !errors.Is(r.err, session.ErrGone):
			t.Errorf("%s: %v", r.name, r.err)
		}
	}
	if logins == 2 { // a double-clicked login: neither erases the other
		for _, r := range done {
			load(t, m, r.c)
		}
	}
	alive, sum := map[session.ID]bool{}, 0
	for _, held := range []session.Credential{c, done[0].c, done[1].c} {
		if held.IsZero() {
			continue
		}
		s, err := m.Load(t.Context(), held)
		if err != nil {
			continue
		}
		if ended {
			t.Errorf("%v: a destroyed session lives", done)
		}
		if moved && held.ID() == c.ID() {
			t.Errorf("%v: a renewed credential lives", done)
		}
		if n, _ := count.Get(s); !alive[s.ID()] {
			sum += n
		}
		alive[s.ID()] = true
	}
	// A login that meets a renewed session begins one of its own, with its own
	// count: together they have counted everything once.
	if len(alive) > 0 && (sum < atLeast || sum > atMost) {
		t.Errorf("%v: counted %d, want %d to %d", done, sum, atLeast, atMost)
	}
	if !ended && !inDoubt && len(alive) == 0 {
		t.Errorf("%v: nobody ended the session, and nobody can open it", done)
	}
}

func (r result) String() string { return fmt.Sprintf("%s: %v", r.name, r.err) }
