package session

import (
	"context"
	"errors"
	"log/slog"
)

// A Kind says what happened.
type Kind string

// What can happen.
const (
	Created     Kind = "created"      // a session was stored for the first time
	Renewed     Kind = "renewed"      // ID went on as Successor
	Destroyed   Kind = "destroyed"    // by Destroy, by Revoke, or as the oldest of too many
	Expired     Kind = "expired"      // shown after its deadline
	Rejected    Kind = "rejected"     // a credential, token or request was refused; Reason says why
	Conflict    Kind = "conflict"     // a commit met another one and is tried again
	Dropped     Kind = "dropped"      // a program's changes could not be committed; Reason and Err say why
	Unreadable  Kind = "unreadable"   // a record or value could not be read, and counts as absent
	StoreFailed Kind = "store failed" // the store gave no answer
	NodeDown    Kind = "node down"    // a node of the store is given up for now
	NodeUp      Kind = "node up"      // and answers again
)

// An Event tells an observer what happened. It holds IDs, never a secret. Its
// fields are zero where they don't apply. It can be copied and kept.
//
// Reason is one of these texts; docs/monitoring.md says what each means.
// Kinds that are not named have none.
//
//   - Rejected, by a manager: "unknown", "wrong secret", "ended", "renewed",
//     "credential not issued here", "never given a token", "not an ID of ours",
//     "not an external ID"; by its Revoke: "not this subject's"
//   - Rejected, by chimw: "token", "external token", "malformed cookie",
//     "cookies that differ", "more than one token", "body", "cross-origin"
//   - Rejected, by chimw's guards: "no session", "no subject", "no token",
//     "not allowed", "another fingerprint"
//   - Dropped, by chimw: "commit", "late change", "after an error"
//   - Unreadable: "record", "index", "value"
//   - StoreFailed: "limit", or ""
//
// The ID of a rejected credential is what it claims: nothing vouches for it.
type Event struct {
	Kind      Kind
	Manager   string // its name
	ID        ID
	Successor ID
	Subject   string
	Reason    string // one of the texts above: fit for a metric's label
	Node      string // of the store; of StoreFailed, if Err or what it wraps has a method Node() string
	Err       error
}

// level is where an unobserved event goes in the log: what clients cause at
// will stays below what an operator should see.
func (k Kind) level() slog.Level {
	switch k {
	case Dropped:
		return slog.LevelError
	case Unreadable, StoreFailed, NodeDown, NodeUp:
		return slog.LevelWarn
	case Rejected, Expired:
		return slog.LevelInfo
	default:
		return slog.LevelDebug
	}
}

// LogEvents returns an observer that logs events: lifecycles at the level of
// debugging, what clients were refused at that of information, what an operator
// should look at as a warning, and changes that were lost as an error. A nil
// logger stands for slog's default one at the time of the event.
func LogEvents(logger *slog.Logger) func(context.Context, Event) {
	return func(ctx context.Context, e Event) {
		l := logger
		if l == nil {
			l = slog.Default()
		}
		if level := e.Kind.level(); l.Enabled(ctx, level) {
			l.LogAttrs(ctx, level, "session event", e.attrs()...)
		}
	}
}

func (e *Event) attrs() []slog.Attr {
	attrs := append(make([]slog.Attr, 0, 7), slog.String("event", string(e.Kind)))
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	add("manager", e.Manager)
	if !e.ID.IsZero() {
		add("id", e.ID.String())
	}
	if !e.Successor.IsZero() {
		add("successor", e.Successor.String())
	}
	add("reason", e.Reason)
	add("node", e.Node)
	if e.Err != nil {
		add("error", e.Err.Error())
	}
	return attrs
}

// Report tells the manager's observer about an event that happened outside of
// it, such as a token refused by a middleware. It fills in the manager's name,
// and the node that failed. A zero or nil Manager has nobody to tell.
func (m *Manager) Report(ctx context.Context, e Event) {
	if !m.ready() {
		return
	}
	e.Manager = m.cfg.Name
	if e.Kind == StoreFailed && e.Node == "" {
		e.Node = nodeOf(e.Err)
	}
	m.cfg.Observe(ctx, e)
}

func nodeOf(err error) string {
	var at interface{ Node() string }
	if errors.As(err, &at) {
		return at.Node()
	}
	return ""
}
