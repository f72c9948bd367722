package chimw

import (
	"errors"
	"maps"
	"net/http"
	"strings"

	"github.com/coatcheck/coatcheck/session"
)

// A Middleware gives each request its session, by whichever carrier the client
// uses. Make one with [New]; a zero or nil Middleware answers 500 to
// everything. It is immutable and safe for concurrent use, and must not be
// copied.
type Middleware struct {
	cfg    Config
	cookie cookie
	vary   []string

	varyLine string // the same as one line

	bearer, invalidToken string // challenges
}

// New checks the configuration and returns a middleware, or an error that joins
// a [*ConfigError] for every mistake. It tolerates what an earlier constructor
// failed to make, so that all mistakes can be reported together: errors.Join of
// what NewManager, NewSigner and New return says everything there is to mend.
func New(cfg Config) (*Middleware, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	mw := &Middleware{cfg: cfg, cookie: newCookie(cfg)}
	if !cfg.NoCookie {
		mw.vary = append(mw.vary, "Cookie")
	}
	if !cfg.NoHeader {
		mw.vary = append(mw.vary, cfg.Header)
		if !cfg.NoBearer {
			mw.vary = append(mw.vary, "Authorization")
		}
	}
	mw.varyLine = strings.Join(mw.vary, ", ")
	mw.bearer = `Bearer realm="` + mw.cfg.Realm + `"`
	mw.invalidToken = withCode(mw.bearer, codeInvalidToken)
	return mw, nil
}

var errNotMade = errors.New("chimw: the middleware was not made by New")

func (mw *Middleware) ready() bool { return mw != nil && mw.cfg.Manager != nil }

// Handler is the middleware itself, for chi's Use or around any http.Handler.
// Within it, [session.FromContext] has the request's session.
func (mw *Middleware) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !mw.ready() {
			WriteProblem(w, r, newProblem(http.StatusInternalServerError, errNotMade)) // never a request without a session
			return
		}
		mw.serve(w, r, next)
	})
}

func (mw *Middleware) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	var outside http.Header
	if h := w.Header(); len(h) > 0 {
		outside = maps.Clone(h)
	}
	c, p := mw.choose(r)
	if p != nil {
		mw.refuse(w, r, p)
		return
	}
	x := &exchange{mw: mw, session: c.session, carrier: c.carrier, external: c.external, token: c.token}
	x.viaToken = c.carrier.token() || mw.cfg.NoCookie
	if x.live = c.session.Stored(); x.live {
		x.shown, x.deadline = c.session.ID(), c.session.Deadline()
	}
	x.outside = outside
	x.context = requestContext{session.NewContext(r.Context(), c.session), x}
	r = r.WithContext(&x.context)
	x.writer = writer{ResponseWriter: w, x: x, r: r}
	mw.appendVary(w.Header(), &x.vary) // before the handler: a panic's response needs it too
	next.ServeHTTP(x.writer.shaped(), r)
	x.writer.finish() // not deferred: a panic that gets here commits nothing
}
