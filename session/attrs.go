package session

import (
	"fmt"
	"time"
)

// attrs are what a request did to the session itself.
type attrs struct {
	renew    bool
	subject  *string
	print    *digest
	label    *string
	deadline *int64
	idle     *time.Duration
	token    bool
}

func (a *attrs) any() bool { return *a != attrs{} }

// moves reports whether the changes call for a new ID.
func (a *attrs) moves() bool { return a.renew || a.subject != nil }

// login reports whether a subject is given: the one change that a renewed
// credential may still make, under an ID of its own.
func (a *attrs) login() bool { return a.subject != nil && *a.subject != "" }

// apply gives a record the attributes that a request changed, and records the
// activity. The same request's ExpireAt and SetIdleTimeout hold for the life
// that its SetSubject begins.
func (a *attrs) apply(r *record, cfg *Config, now int64) error {
	if a.subject != nil && *a.subject != r.subject {
		if r.subject != "" {
			r.label = "" // like the values: one person's isn't shown to the next
		}
		r.subject, r.print = *a.subject, nil
		r.begin(cfg, now)
	}
	if a.print != nil {
		r.print = a.print
		if *a.print == (digest{}) {
			r.print = nil
		}
	}
	if a.label != nil {
		r.label = *a.label
	}
	if len(r.subject) > maxSubjectBytes || len(r.label) > maxLabelBytes {
		return fmt.Errorf("session: a subject of %d and a label of %d bytes: at most %d and %d are kept",
			len(r.subject), len(r.label), maxSubjectBytes, maxLabelBytes)
	}
	r.token = r.token || a.token
	if a.deadline != nil {
		r.deadline = min(*a.deadline, r.created+cfg.MaxLifetime.Milliseconds())
	}
	if a.idle != nil {
		r.idle, r.idleEnd = min(max(*a.idle, time.Second), cfg.MaxLifetime).Milliseconds(), 0
	}
	r.touch(now, r.idleTimeout(cfg))
	return nil
}

// idleTimeout is the session's own, or else the manager's.
func (r *record) idleTimeout(cfg *Config) time.Duration {
	if r.idle != 0 {
		return time.Duration(r.idle) * time.Millisecond
	}
	return cfg.IdleTimeout
}

// begin starts a new life: all that is counted from it, and nothing that was
// granted to the one before.
func (r *record) begin(cfg *Config, now int64) {
	r.life = newLife()
	r.created, r.seen = now, now
	r.deadline = now + cfg.Lifetime.Milliseconds()
	r.idle, r.idleEnd = 0, 0
	r.token = false
}
