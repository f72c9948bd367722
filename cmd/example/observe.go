package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/tokens"
)

// observer is what the manager and the store tell of events: they are counted,
// and logged.
func observer(m *metrics, log *slog.Logger) func(context.Context, session.Event) {
	logEvent := logThinned(log)
	return func(ctx context.Context, e session.Event) {
		m.count(e)
		logEvent(ctx, e)
	}
}

// logThinned logs events. While a node is down every request for it causes the
// same one: of those, the first in each second is logged, with how many were not
// since the one before. Nothing else is left out: what was rejected, for example,
// each time names another session.
func logThinned(log *slog.Logger) func(context.Context, session.Event) {
	logAll := session.LogEvents(log)
	var t thinner
	return func(ctx context.Context, e session.Event) {
		if e.Kind != session.StoreFailed {
			logAll(ctx, e)
			return
		}
		switch first, skipped := t.turn(e.Node, time.Now()); {
		case !first:
		case skipped == 0:
			logAll(ctx, e)
		default:
			session.LogEvents(log.With("not_logged", skipped))(ctx, e)
		}
	}
}

// oncePer is how often an event of a failing store is logged.
const oncePer = time.Second

// A thinner lets one of many through, for each node. Its zero value is ready.
type thinner struct {
	mu   sync.Mutex
	last map[string]*turns
}

type turns struct {
	first   time.Time
	skipped int
}

// turn reports whether it is time again, and how many it was not for.
func (t *thinner) turn(node string, now time.Time) (first bool, skipped int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := t.last[node]
	if last != nil && now.Sub(last.first) < oncePer {
		last.skipped++
		return false, 0
	}
	if last != nil {
		skipped = last.skipped
	}
	if t.last == nil {
		t.last = make(map[string]*turns)
	}
	t.last[node] = &turns{first: now}
	return true, skipped
}

// told reports whether an error was an event, and so is in the log already. That
// the caller's time was over is none.
func told(err error) bool {
	return errors.Is(err, session.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded)
}

// other stands for a reason that is not among reasons: however that came about,
// it must not make a series of its own.
const other = "other"

// reasons are all that an event of a kind can have: those that the library lists
// at session.Event, and what reasonOf makes of one of them.
var reasons = map[session.Kind][]string{
	session.Created:   {""},
	session.Renewed:   {""},
	session.Destroyed: {""},
	session.Expired:   {""},
	session.Conflict:  {""},
	session.Rejected: {
		"unknown", "wrong secret", "ended", "renewed", "credential not issued here",
		"never given a token", "not an ID of ours", "not an external ID", "not this subject's",
		"token", "token expired", "token forged", "token of an unknown key", "token malformed", "token with other claims",
		"external token", "malformed cookie", "cookies that differ", "more than one token", "body", "cross-origin",
		"no session", "no subject", "no token", "not allowed", "another fingerprint",
	},
	session.Dropped:     {"commit", "late change", "after an error"},
	session.Unreadable:  {"record", "index", "value"},
	session.StoreFailed: {"", "limit"},
	session.NodeDown:    {""},
	session.NodeUp:      {""},
}

// reasonOf tells tokens that are merely old from those that somebody made up. The
// library leaves that to Err: it takes tokens of any make.
func reasonOf(e session.Event) string {
	if e.Reason != "token" {
		return e.Reason
	}
	switch {
	case errors.Is(e.Err, tokens.ErrExpired):
		return "token expired"
	case errors.Is(e.Err, tokens.ErrSignature):
		return "token forged"
	case errors.Is(e.Err, tokens.ErrUnknownKey):
		return "token of an unknown key"
	case errors.Is(e.Err, tokens.ErrMalformed):
		return "token malformed"
	case errors.Is(e.Err, tokens.ErrClaims), errors.Is(e.Err, tokens.ErrNotYetValid):
		return "token with other claims"
	default:
		return e.Reason
	}
}
