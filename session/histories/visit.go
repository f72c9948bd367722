package histories

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// A visit is one request.
type visit struct {
	*episode
	rng   *rand.Rand
	by    string
	m     *session.Manager
	shown *ticket

	s     *session.Session
	stale bool // the ticket shown was renewed by the time of the load
}

// percent draws true that often.
func (v *visit) percent(n int) bool { return v.rng.IntN(100) < n }

func (v *visit) record(sp span, o op) {
	o.by = v.by
	v.history.add(sp, o)
}

// serve makes one request.
func (v *visit) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if v.percent(15) { // a closed tab
		defer time.AfterFunc(time.Duration(v.rng.IntN(2000))*time.Microsecond, cancel).Stop()
	}
	v.m, v.shown = draw(v.rng, v.managers), v.pick(v.rng)
	switch {
	case v.shown == nil, v.percent(1):
		v.begin(ctx)
	case v.percent(2):
		v.revoke(ctx)
	case v.certain && v.percent(1):
		v.revokeAll(ctx)
	case v.certain && v.percent(2):
		v.list(ctx)
	default:
		v.load(ctx, v.shown.token && v.percent(30))
		if v.s == nil && v.percent(15) {
			v.begin(ctx)
			return
		}
		for v.s != nil {
			d := v.draft()
			if v.percent(5) {
				cancel()
			}
			if !v.commit(ctx, d) {
				break
			}
		}
	}
}

// load shows the ticket, and keeps the session that it opens.
func (v *visit) load(ctx context.Context, byToken bool) {
	sp := v.history.start()
	var s *session.Session
	var err error
	if byToken {
		s, err = v.m.LoadVerified(ctx, v.shown.id)
	} else {
		s, err = v.m.Load(ctx, v.shown.credential)
	}
	sp = v.history.end(sp)
	o := op{kind: load, line: v.shown.line, ticket: v.shown, err: err}
	var known bool
	if o.result, known = resultOf(err); !known || o.result == gone {
		v.fail("%s: Load gives an undocumented error: %w", v.by, err)
		return
	}
	if o.result == unknown {
		return // a read changes nothing
	}
	if s != nil {
		o.values = valuesOf(s)
		want := v.shown.subject
		if o.result == renewed {
			want = ""
			if o.values != (values{}) {
				v.fail("%s: a renewed ticket shows values: %v", v.by, o.values)
			}
		}
		if s.Subject() != want {
			v.fail("%s: %v opens a session of %q", v.by, v.shown, s.Subject())
		}
	}
	v.record(sp, o)
	v.s, v.stale = s, o.result == renewed
}

// begin stores a new session.
func (v *visit) begin(ctx context.Context) {
	v.s = v.m.New()
	d := &draft{subject: v.episode.subject(v.rng), token: v.percent(30)}
	d.change(v, change{setNote, v.number()}, change{appendLeft, v.number()})
	v.s.SetSubject(d.subject)
	if d.token {
		v.s.AllowToken()
	}
	sp := v.history.start()
	err := v.s.Commit(ctx)
	sp = v.history.end(sp)
	switch result, known := resultOf(err); {
	case result == done:
		v.begun(sp, d, v.s.Credential())
	case !known || result != unknown:
		v.fail("%s: a new session: %w", v.by, err)
	}
}

// begun records that a commit began a session of its own.
func (v *visit) begun(sp span, d *draft, c session.Credential) *ticket {
	l := v.newLine()
	t := v.issue(ticket{line: l, subject: d.subject, token: d.token, id: c.ID(), credential: c})
	v.record(sp, op{kind: begin, line: l, to: t, changes: d.changes, expires: d.expires, result: done, values: valuesOf(v.s)})
	return t
}

func (v *visit) revoke(ctx context.Context) {
	subject := v.shown.subject
	if subject == "" || v.percent(20) {
		subject = "alice" + v.suffix
	}
	sp := v.history.start()
	err := v.m.Revoke(ctx, subject, v.shown.id)
	sp = v.history.end(sp)
	o := op{kind: revoke, line: v.shown.line, ticket: v.shown, subject: subject, err: err}
	o.result, _ = resultOf(err)
	v.record(sp, o)
}

func (v *visit) revokeAll(ctx context.Context) {
	subject := draw(v.rng, []string{"alice", "bob"}) + v.suffix
	sp := v.history.start()
	err := v.m.RevokeAll(ctx, subject)
	sp = v.history.end(sp)
	o := op{kind: revokeAll, subject: subject, err: err}
	o.result, _ = resultOf(err)
	v.record(sp, o)
}

// list lists a subject's sessions. One that failed says nothing.
func (v *visit) list(ctx context.Context) {
	o := op{kind: list, subject: draw(v.rng, []string{"alice", "bob"}) + v.suffix, result: done, ids: map[session.ID]bool{}}
	sp := v.history.start()
	infos, err := v.m.List(ctx, o.subject)
	sp = v.history.end(sp)
	for _, info := range infos {
		o.ids[info.ID] = true
	}
	switch {
	case err == nil:
		v.record(sp, o)
	case !isAny(err, session.ErrUnavailable):
		v.fail("%s: List gives an undocumented error: %w", v.by, err)
	}
}

func (v *visit) number() int { return int(v.numbers.Add(1)) }

// A draft is what a request does to its session before a commit.
type draft struct {
	changes []change
	expires int64
	moves   bool
	newLife bool
	login   bool
	ends    bool
	subject string // the session's, after the commit
	token   bool
}

// none reports whether the request only read.
func (d *draft) none() bool { return !d.moves && !d.ends && d.expires == 0 && len(d.changes) == 0 }

func (d *draft) change(v *visit, changes ...change) {
	for _, c := range changes {
		c = c.do(v.s)
		if c.kind != popFlash || c.n != 0 { // nothing found: nothing asked for
			d.changes = append(d.changes, c)
		}
	}
}

// draft lets the request do something.
func (v *visit) draft() *draft {
	d := &draft{subject: v.s.Subject()}
	switch n := v.rng.IntN(100); {
	case n < 20: // only reads
	case n < 84:
		d.change(v, v.some()...)
	case n < 90:
		v.s.Renew()
		d.moves = true
		if v.percent(50) {
			d.change(v, v.some()...)
		}
	case n < 94:
		v.signIn(d)
	case n < 97:
		v.expire(d)
	default:
		v.end(d)
	}
	return d
}

// some are the changes of a request that writes.
func (v *visit) some() []change {
	pool := [][]changeKind{
		{setNote}, {setNote, appendLeft}, {dropNote}, {setFlash}, {setFlash, appendRight}, {popFlash}, {popFlash, appendRight},
		{appendLeft}, {appendRight}, {appendLeft, appendRight}, {appendRight, appendLeft}, {clearAll, setNote}, {appendLeft, setFlash, popFlash},
	}
	var changes []change
	n := v.number()
	for _, kind := range draw(v.rng, pool) {
		changes = append(changes, change{kind, n})
	}
	return changes
}

// signIn gives the session to a subject, to another one, or to nobody.
func (v *visit) signIn(d *draft) {
	was := d.subject
	d.subject = v.episode.subject(v.rng)
	v.s.SetSubject(d.subject)
	if d.subject == was {
		return
	}
	d.moves, d.newLife, d.login = true, true, d.subject != ""
	if d.token = v.percent(30); d.token {
		v.s.AllowToken() // what was allowed before ends with the old life
	}
	if was != "" {
		d.changes = append(d.changes, change{kind: clearAll}) // what was shown to one person isn't to the next
	}
	d.change(v, v.some()...)
}

// expire lets the session end in a moment. If that has passed meanwhile, it
// is destroyed.
func (v *visit) expire(d *draft) {
	at := time.Now().Add(time.Duration(1+v.rng.IntN(20)) * time.Millisecond)
	d.change(v, v.some()...)
	v.s.ExpireAt(at)
	d.expires = at.UnixMilli()
	if v.s.Destroyed() {
		*d = draft{ends: true}
	}
}

// end logs out, some with a message that a new session keeps.
func (v *visit) end(d *draft) {
	d.change(v, v.some()...)
	v.s.Destroy()
	*d = draft{ends: true}
	if v.percent(20) {
		d.change(v, change{setFlash, v.number()})
	}
}
