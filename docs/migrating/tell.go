package migrating

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/coatcheck/coatcheck/session"
)

// enter serves the request as if it had shown the new cookie. The middleware
// finds out whether that still opens anything: a session that ended or was
// renewed since makes the client anonymous, and it is told nothing.
func (b *Bridge) enter(w http.ResponseWriter, r *http.Request, next http.Handler, cookie string) {
	shown := r.Clone(r.Context())
	shown.Header["Cookie"] = b.withCookie(r.Header["Cookie"], cookie)
	t := &teller{w, sync.OnceFunc(func() { b.tell(r.Context(), w.Header(), cookie) })}
	b.cfg.Middleware.Handler(next).ServeHTTP(t, shown)
	t.tell()
}

// tell hands out the new cookie and takes the old one away, unless the answer
// comes too late: another one may have brought a newer cookie since. The
// middleware outside sees the line, and keeps the answer out of caches.
func (b *Bridge) tell(ctx context.Context, h http.Header, cookie string) {
	said := slices.ContainsFunc(h["Set-Cookie"], func(line string) bool { return strings.HasPrefix(line, b.cookie.Name+"=") })
	if !said { // by a login or logout in this very request
		if b.outdated(ctx, cookie) {
			return
		}
		h.Add("Set-Cookie", cookie)
	}
	if !b.cfg.KeepCookie {
		h.Add("Set-Cookie", b.expired)
	}
}

// outdated reports whether the new cookie is known to open nothing any more. If
// the store can't be asked the client gets it: after the grace, without it, it
// would be signed out.
func (b *Bridge) outdated(ctx context.Context, cookie string) bool {
	c, err := http.ParseSetCookie(cookie)
	if err != nil {
		return true
	}
	cred, err := session.ParseCredential(c.Value)
	if err != nil {
		return true
	}
	_, err = b.cfg.Manager.Load(ctx, cred)
	return errors.Is(err, session.ErrNotFound) || errors.Is(err, session.ErrRenewed)
}

// teller tells before the first byte goes out, by whichever door: after the
// middleware's commit, so that an error in place of the handler's answer brings
// the cookie, too.
type teller struct {
	http.ResponseWriter
	tell func()
}

func (t *teller) WriteHeader(status int) {
	if status < 100 || status > 199 || status == http.StatusSwitchingProtocols {
		t.tell()
	}
	t.ResponseWriter.WriteHeader(status)
}

func (t *teller) Write(b []byte) (int, error) {
	t.tell()
	return t.ResponseWriter.Write(b)
}

// Flush and Hijack promise what may not be there beneath; Hijack says so then.
func (t *teller) Flush() { _ = t.FlushError() }

func (t *teller) FlushError() error {
	t.tell()
	return http.NewResponseController(t.ResponseWriter).Flush()
}

func (t *teller) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	t.tell()
	return http.NewResponseController(t.ResponseWriter).Hijack()
}

// Unwrap is how http.ResponseController finds what else there is.
func (t *teller) Unwrap() http.ResponseWriter { return t.ResponseWriter }
