package histories

import (
	"context"

	"github.com/coatcheck/coatcheck/session"
)

// commit commits what a request did, and records what came of it. It reports
// whether the request goes on with its session.
func (v *visit) commit(ctx context.Context, d *draft) bool {
	if d.none() {
		if err := v.s.Commit(ctx); err != nil {
			v.fail("%s: a commit of nothing: %w", v.by, err)
		}
		return false
	}
	sp := v.history.start()
	err := v.s.Commit(ctx)
	sp = v.history.end(sp)
	res, known := resultOf(err)
	if !known || res == renewed || res == notFound {
		v.fail("%s: Commit gives an undocumented error: %w", v.by, err)
		return false
	}
	o := op{
		line: v.shown.line, ticket: v.shown, changes: d.changes, expires: d.expires,
		newLife: d.newLife, login: d.login, result: res, err: err,
	}
	if res == done {
		o.values = valuesOf(v.s)
	}
	switch {
	case d.ends:
		v.ended(sp, d, o)
		return false
	case v.stale:
		v.committedStale(sp, d, o)
	case d.moves:
		v.moved(sp, d, o)
	default:
		o.kind = write
		v.record(sp, o)
	}
	switch res {
	case done:
		return v.percent(20)
	case unknown:
		v.afterUnknown(ctx)
	default:
	}
	return false
}

// ended records a Destroy, and the session that was begun after it, if any.
func (v *visit) ended(sp span, d *draft, o op) {
	v.record(sp, op{kind: destroy, line: o.line, ticket: o.ticket, result: o.result, err: o.err})
	if c := v.s.Credential(); o.result == done && !c.IsZero() {
		v.begun(sp, d, c)
	}
}

// moved records a renewal. A login whose ticket was renewed meanwhile begins a
// session of its own instead.
func (v *visit) moved(sp span, d *draft, o op) {
	next := ticket{line: o.line, from: o.ticket, subject: d.subject, token: d.token || o.ticket.token && !d.newLife}
	if o.result == done {
		next.credential = v.s.Credential()
		next.id = next.credential.ID()
		if v.s.Subject() != d.subject {
			v.fail("%s: the session is of %q after %q signed in", v.by, v.s.Subject(), d.subject)
		}
		from, begun := v.origin(next.id)
		if begun && d.login {
			v.afresh(sp, d, o)
			return
		}
		if begun || from != o.ticket.id {
			v.fail("%s: %v was renewed without an event that says so", v.by, o.ticket)
		}
	}
	o.to = v.issue(next)
	o.kind = leave
	v.record(sp, o)
	if o.result != unknown { // if it is, nobody will know the new ticket
		o.kind, o.changes = arrive, nil
		v.record(sp, o)
	}
	if o.result == done {
		v.shown = o.to
	}
}

// afresh records a login that began a session of its own.
func (v *visit) afresh(sp span, d *draft, o op) {
	v.record(sp, op{kind: superseded, line: o.line, ticket: o.ticket, result: done})
	v.shown, v.stale = v.begun(sp, d, v.s.Credential()), false
}

// committedStale records what a renewed ticket could do: log in.
func (v *visit) committedStale(sp span, d *draft, o op) {
	_, begun := v.origin(v.s.ID())
	switch {
	case o.result == done && d.login && begun:
		v.afresh(sp, d, o)
	case o.result == gone && d.login:
		v.fail("%s: a renewed ticket could not log in: %w", v.by, o.err)
	case o.result == unknown && d.login: // nobody holds what it may have stored
	default:
		o.kind = write
		v.record(sp, o)
	}
}

// afterUnknown tries what a session may not do any more, and what it still may.
func (v *visit) afterUnknown(ctx context.Context) {
	if v.percent(30) {
		change{setNote, v.number()}.do(v.s) // if this was written, no order will explain it
		if err := v.s.Commit(ctx); !isAny(err, session.ErrUnavailable) {
			v.fail("%s: a second commit after ErrUnavailable: %w", v.by, err)
		}
	}
	if v.percent(50) {
		v.s.Destroy()
		v.commit(ctx, &draft{ends: true})
	}
}
