package histories

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// An op is one entry of a history: what was asked, when, and what was answered.
type op struct {
	kind    kind
	line    *line               // nil: it concerns all lines
	ticket  *ticket             // what was shown; of begin: nil
	to      *ticket             // what came of it: of begin, leave and arrive
	subject string              // of revoke, revokeAll and list
	listed  *ticket             // of list: the line's own, if there is one; see history.of
	ids     map[session.ID]bool // of list

	changes []change
	expires int64 // Unix milliseconds; 0: no ExpireAt
	newLife bool  // another subject: deadlines count anew
	login   bool  // it gives a subject, which a renewed credential may do too

	result result
	values values // what the request saw: with load done, and after a commit
	err    error

	call, answer int64 // order of events
	began, ended int64 // Unix milliseconds
	by           string
}

type kind string

const (
	begin      kind = "begin"
	load       kind = "load"
	superseded kind = "finds it renewed"
	write      kind = "commit"
	leave      kind = "renewal leaves"
	arrive     kind = "renewal arrives"
	destroy    kind = "destroy"
	revoke     kind = "revoke"
	revokeAll  kind = "revoke all"
	list       kind = "list"
)

type result string

const (
	done     result = "done"
	renewed  result = "renewed"
	notFound result = "not found"
	gone     result = "gone"
	unknown  result = "unknown" // may have been applied, or may be at any later time
)

// never is when an answer comes that did not.
const never = math.MaxInt64

func (o *op) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", o.by, o.kind)
	if o.subject != "" {
		fmt.Fprintf(&b, " of %s", firstName(o.subject))
	}
	if o.ticket != nil {
		fmt.Fprintf(&b, " by %v", o.ticket)
	}
	if len(o.changes) > 0 {
		fmt.Fprintf(&b, " %v", o.changes)
	}
	if o.expires != 0 {
		fmt.Fprintf(&b, " expire at %s", clock(o.expires))
	}
	fmt.Fprintf(&b, " -> %s", o.result)
	if o.to != nil {
		fmt.Fprintf(&b, ", %v", o.to)
	}
	if o.kind == list {
		fmt.Fprintf(&b, ", %v", o.listed)
	}
	if o.result == done && (o.kind == load || o.kind == write || o.kind == leave || o.kind == begin) {
		fmt.Fprintf(&b, " %v", o.values)
	}
	if o.err != nil {
		fmt.Fprintf(&b, " (%v)", o.err)
	}
	return b.String()
}

// times tells when an op was under way.
func (o *op) times() string {
	if o.answer == never {
		return fmt.Sprintf("%5d …      %s", o.call, clock(o.began))
	}
	return fmt.Sprintf("%5d … %-5d %s", o.call, o.answer, clock(o.began))
}

func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("05.000") }

// A history is what the requests of one episode did, in any order. It is safe
// for concurrent use.
type history struct {
	ticks atomic.Int64

	mu  sync.Mutex
	ops []*op
}

// A span is the time that a call takes. Several ops can be made of one call.
type span struct{ call, answer, began, ended int64 }

func (h *history) start() span {
	return span{call: h.ticks.Add(1), began: time.Now().UnixMilli()}
}

func (h *history) end(s span) span {
	s.ended = time.Now().UnixMilli()
	s.answer = h.ticks.Add(1)
	return s
}

// add records an op. One without an answer is under way until the end.
func (h *history) add(s span, o op) {
	o.call, o.answer, o.began, o.ended = s.call, s.answer, s.began, s.ended
	if o.result == unknown {
		o.answer = never
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, &o)
}

// all returns everything, what was called first first.
func (h *history) all() []*op {
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.SortStableFunc(h.ops, func(a, b *op) int { return cmp.Compare(a.call, b.call) })
	return h.ops
}

// of returns what concerns a line, whose tickets are among those held.
func (h *history) of(l *line, held []*ticket) []*op {
	h.mu.Lock()
	defer h.mu.Unlock()
	var ops []*op
	for _, o := range h.ops {
		switch o.line {
		case l:
			ops = append(ops, o)
		case nil:
			own := *o
			own.line = l
			for _, t := range held {
				if t.line == l && o.ids[t.id] {
					own.listed = t
				}
			}
			ops = append(ops, &own)
		}
	}
	return ops
}

// resultOf sorts the errors that the library documents; false for any other.
func resultOf(err error) (result, bool) {
	switch {
	case err == nil:
		return done, true
	case isAny(err, session.ErrUnavailable):
		return unknown, true
	case isAny(err, session.ErrRenewed):
		return renewed, true
	case isAny(err, session.ErrGone):
		return gone, true
	case isAny(err, session.ErrNotFound):
		return notFound, true
	default:
		return "", false
	}
}
