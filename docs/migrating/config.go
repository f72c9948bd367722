package migrating

import (
	"errors"
	"net/http"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/tokens"
)

// Default and limit of [Config.Grace].
const (
	DefaultGrace = 30 * time.Second

	maxGrace = 5 * time.Minute
)

// ConfigError is the type of every mistake that New reports.
type ConfigError = session.ConfigError

// A Config says how a [Bridge] takes sessions over. All but Grace and KeepCookie
// are required. New copies it.
type Config struct {
	// Manager and Middleware are the application's new ones. The middleware
	// has to carry sessions by cookie, under another name than the old one's.
	Manager    *session.Manager
	Middleware *chimw.Middleware

	// Store keeps the notes about what was taken over: the manager's own, or
	// another that all processes share.
	Store session.Store

	// Key encrypts the notes, under a purpose of its own, so it may be one that
	// also signs tokens. Every process needs the same. Under a new one nothing
	// is taken over twice, not even within the grace.
	Key tokens.Key

	// Old is where the sessions are now: a *SCS or a *Gorilla.
	Old Source

	// Copy puts what is worth keeping of an old session into the new one, and
	// names its subject. It reads the old one by the old library's means, with
	// this request, in whose context the new one is, and must not change or save
	// it. It may run several times for one session, of which one counts. If it
	// keeps nothing, or ends the new session, there is nothing to take over. An error that matches ErrUnreadable makes the
	// client anonymous; any other is the answer, as chimw's Middleware.Error
	// understands it, and the old cookie stays as it is. It must be safe for
	// concurrent use.
	Copy func(r *http.Request, s *session.Session) error

	// Until is when the switch is over: afterwards the bridge does nothing. It
	// has no default because bridges are forgotten. A later one may be set while
	// the old sessions live.
	Until time.Time

	// Grace is for how long an old session can be found again after it was
	// taken over, by requests that were under way. 0 means 30 seconds; at most
	// 5 minutes.
	Grace time.Duration

	// KeepCookie leaves the old cookie in the browser: while old processes
	// serve it too, or may do so again after a rollback. It has to be set where
	// the old cookie is for a whole domain and the new one for this host alone.
	KeepCookie bool
}

// New checks the configuration and returns a bridge, or an error that joins a
// [*ConfigError] for every mistake.
func New(cfg Config) (*Bridge, error) {
	if cfg.Grace == 0 {
		cfg.Grace = DefaultGrace
	}
	b := &Bridge{cfg: cfg, key: cfg.Key.Derive("coatcheck/v1/migrating")}
	if err := b.check(); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *Bridge) check() error {
	var errs []error
	wrong := func(field string, value any, reason string) {
		errs = append(errs, &ConfigError{Field: "migrating.Config." + field, Value: value, Reason: reason})
	}
	if b.cfg.Manager.Name() == "" {
		wrong("Manager", nil, "is required")
	}
	if b.cfg.Store == nil {
		wrong("Store", nil, "is required")
	}
	if b.key == nil {
		wrong("Key", nil, "is required")
	}
	if b.cfg.Copy == nil {
		wrong("Copy", nil, "is required")
	}
	if b.cfg.Until.IsZero() {
		wrong("Until", nil, "is required: a bridge that nobody takes down stays open for ever")
	}
	if b.cfg.Grace < 0 || b.cfg.Grace > maxGrace {
		wrong("Grace", b.cfg.Grace, "must be from 0 to 5 minutes")
	}
	if b.cookie = newCookie(b.cfg.Middleware); b.cookie == nil {
		wrong("Middleware", nil, "is required, and has to carry sessions by cookie")
	}
	b.checkOld(wrong)
	return errors.Join(errs...)
}

func (b *Bridge) checkOld(wrong func(field string, value any, reason string)) {
	if b.cfg.Old == nil {
		wrong("Old", nil, "is required")
		return
	}
	c, err := b.cfg.Old.Cookie()
	if err != nil {
		wrong("Old", nil, err.Error())
		return
	}
	if b.cookie != nil && c.Name == b.cookie.Name {
		wrong("Old", c.Name, "has a cookie of the new one's name: give session.Config.Name another")
	}
	if b.cookie != nil && c.Domain != "" && b.cookie.Domain == "" && !b.cfg.KeepCookie {
		wrong("KeepCookie", false, "would let one host take away the old cookie of all of "+c.Domain+
			": set it, or chimw.Config.Domain")
	}
	b.oldName = c.Name
	c.Value, c.MaxAge, c.Expires = "", -1, time.Time{}
	b.expired = c.String()
}

// newCookie asks the middleware for its cookie, in the way that costs no store
// call. It is nil if there is none.
func newCookie(mw *chimw.Middleware) *http.Cookie {
	probe := newAnswer()
	mw.Forget(probe)
	c, err := http.ParseSetCookie(probe.header.Get("Set-Cookie"))
	if err != nil {
		return nil
	}
	return c
}
