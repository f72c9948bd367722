package histories

import (
	"hash/maphash"

	"github.com/anishathalye/porcupine"
)

// state is what the model knows of a line. It is comparable; the zero state is
// that of a session that has not begun.
type state struct {
	at      *ticket // the last one that it was renewed to
	phase   phase
	expires int64 // Unix milliseconds; 0: beyond the episode
	values  values
}

type phase string

const (
	live    phase = "live"
	between phase = "between two IDs" // the old one renewed, the new one not there yet
	dead    phase = "dead"
)

// opens reports whether a request that shows t can change the session.
//
// A deadline is judged by the clock, so that whoever began before it may still
// be let in after it.
func (s state) opens(o *op) bool {
	return s.at == o.ticket && s.phase == live && (s.expires == 0 || o.began < s.expires)
}

// refuses reports whether a request that shows t can be told that its session
// has ended or was renewed.
func (s state) refuses(o *op) bool {
	return s.at != o.ticket || s.phase != live || s.expired(o)
}

func (s state) expired(o *op) bool { return s.expires != 0 && o.ended >= s.expires }

// written is the state after the changes of a commit.
func (s state) written(o *op) state {
	s.values = s.values.after(o.changes)
	if o.newLife {
		s.expires = 0
	}
	if o.expires != 0 {
		s.expires = o.expires
	}
	return s
}

// killed forgets the values: nobody can see them again.
func (s state) killed() state { return state{at: s.at, phase: dead} }

// step returns the states that a line can be in after an operation with its
// result; none if it can't have that result.
func (s state) step(o *op) []state {
	switch o.kind {
	case begin:
		return s.stepBegin(o)
	case load:
		return only(s, s.shows(o))
	case superseded:
		return only(s, s.at != o.ticket && o.ticket.leadsTo(s.at))
	case write:
		return s.stepWrite(o)
	case leave:
		return s.stepLeave(o)
	case arrive:
		return s.stepArrive(o)
	case destroy:
		return s.stepDestroy(o)
	case revoke:
		return s.stepRevoke(o)
	case revokeAll:
		return s.stepRevokeAll(o)
	case list:
		return only(s, s.lists(o))
	default:
		return nil
	}
}

func only(s state, possible bool) []state {
	if possible {
		return []state{s}
	}
	return nil
}

func (s state) stepBegin(o *op) []state {
	first := state{at: o.to, phase: live}.written(o)
	return only(first, s.at == nil && first.values == o.values)
}

// shows reports whether a load can have its result. A ticket that was renewed
// says so for as long as its marker stands, which outlasts any episode.
func (s state) shows(o *op) bool {
	switch o.result {
	case done:
		return s.opens(o) && s.values == o.values
	case renewed:
		return s.at != o.ticket && o.ticket.leadsTo(s.at)
	case notFound:
		return s.at == o.ticket && (s.phase == dead || s.expired(o))
	default:
		return false
	}
}

func (s state) stepWrite(o *op) []state {
	next := s.written(o)
	switch o.result {
	case done:
		return only(next, s.opens(o) && next.values == o.values)
	case gone:
		return only(s, s.refuses(o))
	case unknown:
		return append([]state{s}, only(next, s.opens(o))...)
	default:
		return nil
	}
}

// stepLeave and stepArrive are a renewal. They are two, since others can see,
// and destroy, what is between them.
func (s state) stepLeave(o *op) []state {
	next := s.written(o)
	next.at, next.phase = o.to, between
	switch o.result {
	case done:
		return only(next, s.opens(o) && next.values == o.values)
	case gone, unknown:
		return append([]state{s}, only(next, s.opens(o))...)
	default:
		return nil
	}
}

func (s state) stepArrive(o *op) []state {
	switch {
	case o.result == done:
		next := s
		next.phase = live
		return only(next, s.at == o.to && s.phase == between)
	case o.result == gone && s.at == o.to:
		return only(s, s.phase == dead)
	case o.result == gone && o.login: // by a renewed credential it would have begun a session of its own
		return only(s, s.at == o.ticket && s.refuses(o))
	case o.result == gone:
		return only(s, s.refuses(o))
	default:
		return nil
	}
}

func (s state) stepDestroy(o *op) []state {
	if !o.ticket.leadsTo(s.at) {
		return nil
	}
	switch o.result {
	case done:
		return []state{s.killed()}
	case unknown:
		return []state{s, s.killed()}
	default:
		return nil // what began can be found: there is a record or a marker
	}
}

func (s state) stepRevoke(o *op) []state {
	mine := o.ticket.leadsTo(s.at) && o.ticket.reaches(s.at, o.subject)
	switch o.result {
	case done:
		return only(s.killed(), mine)
	case notFound:
		return only(s, !mine)
	case unknown:
		return append([]state{s}, only(s.killed(), mine)...)
	default:
		return nil
	}
}

// stepRevokeAll: what is on its way to a subject may escape, as if it had
// arrived later; what was his before may not.
func (s state) stepRevokeAll(o *op) []state {
	if s.at == nil || s.phase == dead || s.at.subject != o.subject {
		return only(s, o.result == done || o.result == unknown)
	}
	arriving := s.phase == between && s.at.from.subject != o.subject
	switch o.result {
	case done:
		return append([]state{s.killed()}, only(s, arriving)...)
	case unknown:
		return []state{s, s.killed()}
	default:
		return nil
	}
}

// lists reports whether a list of a subject's sessions can show what it shows
// of this one. What arrived without anybody knowing its ID may be in it.
func (s state) lists(o *op) bool {
	owned := s.at != nil && s.at.subject == o.subject && s.phase == live
	if o.listed != nil {
		return owned && o.listed == s.at && (s.expires == 0 || o.began < s.expires)
	}
	return !owned || s.expired(o)
}

// model is the one that a line's history must fit.
func model() porcupine.Model {
	seed := maphash.MakeSeed()
	m := porcupine.NondeterministicModel{
		Init:  func() []any { return []any{state{}} },
		Equal: func(a, b any) bool { return a == b },
		Hash:  func(s any) uint64 { return maphash.Comparable(seed, s.(state)) },
		Step: func(s, input, _ any) []any {
			var next []any
			for _, n := range s.(state).step(input.(*op)) {
				next = append(next, n)
			}
			return next
		},
	}
	return m.ToModel()
}
