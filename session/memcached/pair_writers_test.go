package memcached_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
)

// A writer that stops between its two writes has not written; who comes next is
// not kept up, and the writer, should it go on, is.
func TestHalfAWrite(t *testing.T) {
	t.Parallel()
	onStages(t, func(s *stage) {
		for _, way := range []string{"create", "update"} {
			s.do("step1 " + way + " " + way + "d")
			half := s.half("step2", s.deciding)
			s.do("step1 sees "+way+"d", "step2 sees "+way+"d")
			s.do("step2 update end", "step1 sees end", "step2 sees end")
			half(errUnknown)
			s.do("step1 sees end", "step2 sees end")
		}
	})
}

// A writer that is overtaken after its intent is told so, before the one that
// overtook it has decided: or it would report what nobody will see.
func TestTwoHalvesOfAWrite(t *testing.T) {
	t.Parallel()
	onStages(t, func(s *stage) {
		s.do("step1 create live")
		first := s.half("step2", s.deciding)
		second := s.half("step2", s.deciding)
		first(errUnknown)
		s.do("step1 sees live", "step2 sees live")
		second(nil)
		s.do("step1 sees half", "step2 sees half")
	})
}

// Wherever a writer stops, what was there before stays, and nothing else rises.
func TestWriterThatStops(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]func(*stage){
		"M11 what is left at the other owner does not rise": func(s *stage) {
			s.do("old create left")
			half := s.half("step2", s.deciding)
			s.do("step2 misses")
			half(nil)
			s.do("step2 sees half", "done sees half")
		},
		"M12 what an old one has created stays, before the decision": func(s *stage) {
			s.do("old create live")
			half := s.half("step1", s.deciding)
			s.do("step1 sees live")
			half(nil)
			s.do("step1 sees half", "old sees half")
		},
		"M12 what an old one has created stays, before the intent": func(s *stage) {
			s.do("old create live")
			half := s.half("step1", s.intending)
			s.do("step1 sees live", "old sees live", "old update 2", "step1 sees 2")
			half(errHindered)
			s.do("step1 sees 2", "old sees 2")
		},
		"M12 what a new one has created stays, before the decision": func(s *stage) {
			s.do("done create live")
			half := s.half("step2", s.deciding)
			s.do("step2 sees live")
			half(nil)
			s.do("step2 sees half", "done sees half")
		},
		"M12 what two writers have not replaced stays": func(s *stage) {
			s.do("step1 create live")
			first := s.half("step1", s.deciding)
			second := s.half("step2", s.intending) // the decision has been written again
			s.do("step1 sees live", "step2 sees live")
			first(errUnknown)
			s.do("step1 sees live", "step2 sees live")
			second(nil)
			s.do("step1 sees half", "step2 sees half")
		},
		"M12 what a new one writes meanwhile stays": func(s *stage) {
			s.do("step1 create live")
			first := s.half("step2", s.deciding)
			second := s.half("step2", s.checking)
			s.do("done update end")
			second(session.ErrConflict)
			s.do("step2 sees end", "done sees end")
			first(errUnknown)
			s.do("step2 sees end", "done sees end")
		},
		"M12 what an old one writes meanwhile stays": func(s *stage) {
			s.do("step1 create live")
			first := s.half("step1", s.deciding)
			second := s.half("step1", s.checking)
			s.do("old update end")
			second(session.ErrConflict)
			s.do("step1 sees end", "old sees end")
			first(errUnknown)
			s.do("step1 sees end", "old sees end")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStages(t, play)
		})
	}
}

// The copies of an entry expire one shortly after the other. Who writes just then
// does not fail for it.
func TestCopyExpiresDuringAWrite(t *testing.T) {
	t.Parallel()
	onStages(t, func(s *stage) {
		s.do("step1 create live")
		goOn := s.half("step1", s.deciding)
		if s.from.Addr() == s.decision() {
			s.do("from loses")
		} else {
			s.do("to loses")
		}
		goOn(nil)
		s.do("step1 sees half", "step2 sees half")
	})
}

// A reader between whose two looks another writes sees what was there before or
// what is there then, not nothing.
func TestWriteBetweenTwoLooks(t *testing.T) {
	t.Parallel()
	for name, process := range map[string]struct{ plain, both string }{
		"M12 over what an old one has created": {"old", "step1"},
		"M12 over what a new one has created":  {"done", "step2"},
		"M12 at the first step":                {"step1", "step1"},
		"M12 at the second step":               {"step2", "step2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStages(t, func(s *stage) {
				s.do(process.plain + " create 1")
				type answer struct {
					value []byte
					err   error
				}
				result := make(chan answer, 1)
				looks := 0
				second := func(_, command string) bool {
					if strings.HasPrefix(command, "gets ") {
						looks++
					}
					return looks == 2
				}
				goOn := s.stops(process.both, second, func(reader *memcached.Store) {
					value, _, err := reader.Get(s.t.Context(), s.key)
					result <- answer{value, err}
				})
				s.do(process.both + " update 2")
				goOn()
				if got := <-result; got.err != nil || string(got.value) != "1" && string(got.value) != "2" {
					s.t.Errorf("it sees %q, %v", got.value, got.err)
				}
			})
		})
	}
}

// errHindered stands for any error: whether it is certain depends on the names.
var errHindered = errors.New("any error")

// deciding, intending and checking are where a writer of "half" may stop: before
// it writes that to where the decision is, or to where the intent is, or before it
// reads the decision again that it has prepared.
func (s *stage) deciding() func(address, command string) bool {
	return func(address, command string) bool {
		return address == s.decision() && strings.Contains(command, "half")
	}
}

func (s *stage) intending() func(address, command string) bool {
	return func(address, command string) bool {
		return address != s.decision() && strings.Contains(command, "half")
	}
}

func (s *stage) checking() func(address, command string) bool {
	prepared := false
	return func(address, command string) bool {
		isWrite := strings.HasPrefix(command, "cas ") || strings.HasPrefix(command, "add ")
		prepared = prepared || isWrite && address == s.decision()
		return prepared && !isWrite
	}
}

// decision is the address of the owner that is written last.
func (s *stage) decision() string { return max(s.before[0], s.after[0])[len("b="):] }

// half has another process at a step begin to write "half", and stop. The function
// that it returns lets it go on, and sees to it that it ends as wanted.
func (s *stage) half(step string, where func() func(address, command string) bool) (goOn func(want error)) {
	s.t.Helper()
	result := make(chan error, 1)
	release := s.stops(step, where(), func(writer *memcached.Store) {
		_, version, err := writer.Get(s.t.Context(), s.key)
		if errors.Is(err, session.ErrNotFound) {
			result <- writer.Create(s.t.Context(), s.key, []byte("half"), time.Hour)
			return
		}
		wants(s.t, err, nil)
		result <- writer.Update(s.t.Context(), s.key, []byte("half"), version, time.Hour)
	})
	return func(want error) {
		s.t.Helper()
		release()
		err := <-result
		if want == errHindered {
			if err == nil {
				s.t.Error("no error")
			}
			return
		}
		wants(s.t, err, want)
	}
}

// stops has another process at a step do something, and stop before the first
// command that is to be held back.
func (s *stage) stops(step string, holds func(address, command string) bool, something func(*memcached.Store)) (release func()) {
	s.t.Helper()
	lists := map[string][2][]string{"step1": {s.before, s.after}, "step2": {s.after, s.before}}[step]
	h := &holder{holds: holds, reached: make(chan struct{}), released: make(chan struct{})}
	slow := open(s.t, memcached.Config{Nodes: lists[0], Agree: lists[1], Timeout: 5 * time.Second,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			return &heldConn{conn, address, h}, err
		}})
	done := make(chan struct{})
	go func() {
		defer close(done)
		something(slow)
	}()
	release = sync.OnceFunc(func() { close(h.released) })
	s.t.Cleanup(func() {
		release()
		<-done
	})
	select {
	case <-h.reached:
	case <-done:
		s.t.Fatal("it did not stop")
	}
	return release
}

// A holder holds the first of a process's commands back that it is to. They come
// one after another.
type holder struct {
	holds             func(address, command string) bool
	held              bool
	reached, released chan struct{}
}

type heldConn struct {
	net.Conn
	address string
	*holder
}

func (c *heldConn) Write(p []byte) (int, error) {
	if !c.held && c.holds(c.address, string(p)) {
		c.held = true
		close(c.reached)
		<-c.released
	}
	return c.Conn.Write(p)
}
