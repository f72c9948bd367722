package migrating_test

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/docs/migrating"
	"github.com/coatcheck/coatcheck/session"
)

// TestLateAnswer: an answer that comes after the session ended or was renewed
// brings no cookie: the browser may have a newer one.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	for role, first := range map[string]bool{"takes over": true, "finds the note": false} {
		for path, set := range map[string]bool{"/renew": false, "/logout": false, "/": true} {
			t.Run(role+path, func(t *testing.T) {
				t.Parallel()
				l := ofSCS(newSCS())
				s := newSite(t, l, inMemory())
				begun, release, done := make(chan bool), make(chan bool), make(chan reply)
				slow := s.mw.Handler(s.bridge.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					close(begun)
					<-release
					io.WriteString(w, "late")
				})))
				cookies := l.login()
				if !first {
					want(t, ask(s.app, "GET", "/", cookies), 200, alice)
				}
				go func() { done <- ask(slow, "GET", "/", cookies) }()
				<-begun
				quick := ask(s.app, "GET", "/", cookies)
				want(t, quick, 200, alice)
				method := "POST"
				if set {
					method = "GET"
				}
				want(t, ask(s.app, method, path, quick.set), 200, "")
				close(release)
				late := <-done
				want(t, late, 200, "late")
				if !set {
					untouched(t, late)
				} else if late.issued() != quick.issued() || len(late.set) != 2 {
					t.Errorf("set cookies: %v", late.header["Set-Cookie"])
				}
			})
		}
	}
}

// TestLoginAtOnce: the cookie of a login or logout in the very request that
// moved the session is the one that counts.
func TestLoginAtOnce(t *testing.T) {
	t.Parallel()
	for path, who := range map[string]string{"/renew": alice, "/logout": anonymous} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			l := ofSCS(newSCS())
			s := newSite(t, l, inMemory())
			got := ask(s.app, "POST", path, l.login())
			want(t, got, 200, "")
			if len(got.set) != 2 || got.set[0].Name != newCookie || got.set[1].Name != l.cookie || got.set[1].MaxAge >= 0 {
				t.Errorf("set cookies: %v", got.header["Set-Cookie"])
			}
			want(t, ask(s.app, "GET", "/", got.set[:1]), 200, who)
		})
	}
}

// unwritable is a store that fails to write to sessions that are there.
type unwritable struct {
	session.Store
	on *atomic.Bool
}

func (s unwritable) Update(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
	if s.on.Load() {
		return errDown
	}
	return s.Store.Update(ctx, key, value, version, ttl)
}

// TestHandlerFails: an error in place of the handler's answer brings the cookie
// as well, or the client would be signed out after the grace.
func TestHandlerFails(t *testing.T) {
	t.Parallel()
	for _, l := range libraries(t) {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				down := new(atomic.Bool)
				store := inMemory()
				store.Store = unwritable{store.Store, down}
				s := newSite(t, l, store)
				down.Store(true)
				got := ask(s.app, "GET", "/account/1", l.login())
				want(t, got, 503, "")
				if got.issued() == "" || len(got.set) != 2 {
					t.Fatalf("set cookies: %v", got.header["Set-Cookie"])
				}
				time.Sleep(migrating.DefaultGrace + time.Second)
				down.Store(false)
				want(t, ask(s.app, "GET", "/account/1", got.set[:1]), 200, alice)
			})
		})
	}
}
