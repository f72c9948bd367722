package chimw_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/session"
)

// TestCommitOutcomes checks what a commit can end in, before and after the first
// byte was sent.
func TestCommitOutcomes(t *testing.T) {
	t.Parallel()
	ends := map[string]struct {
		do     func(h *house, cookie string, s *session.Session)
		down   func(op, key string) bool
		status int  // if nothing was sent
		told   bool // whether the client is given a new cookie, if nothing was sent
		lost   bool // whether changes are lost, if something was sent
	}{
		"done":        {func(_ *house, _ string, s *session.Session) { count.Put(s, 1) }, nil, 200, false, false},
		"new ID":      {func(_ *house, _ string, s *session.Session) { s.Renew() }, nil, 200, true, true},
		"unavailable": {func(_ *house, _ string, s *session.Session) { count.Put(s, 1) }, writes, 503, false, true},
		"too large": {func(_ *house, _ string, s *session.Session) {
			owner.Put(s, strings.Repeat("x", 2*maxValue))
		}, nil, 500, false, true},
		"unencodable": {func(_ *house, _ string, s *session.Session) {
			session.Key[any]("odd").Put(s, func() {})
		}, nil, 500, false, true},
		"gone": {func(h *house, cookie string, s *session.Session) {
			h.serve(destroy, request("POST", "", cookie))
			count.Put(s, 1)
		}, nil, 409, false, true},
	}
	for name, end := range ends {
		for _, sent := range []bool{false, true} {
			t.Run(map[bool]string{false: "C13 M5 M8 S8 before the first byte: ", true: "S19 after it: "}[sent]+name, func(t *testing.T) {
				t.Parallel()
				h := build(t)
				cookie := cookieOf(h.session("me"))
				res := h.serve(func(w http.ResponseWriter, r *http.Request) {
					if sent {
						io.WriteString(w, "first")
					}
					end.do(h, cookie, session.FromContext(r.Context()))
					h.store.fail(end.down)
					if !sent {
						io.WriteString(w, "first")
					}
				}, request("POST", "", cookie))
				h.store.fail(nil)
				status, told := end.status, end.told
				if sent {
					status, told = 200, false
				}
				wantStatus(t, res, status)
				if got := len(cookies(res)) > 0; got != told {
					t.Errorf("Set-Cookie is %q", cookies(res))
				}
				if got := body(t, res); (got == "first") != (status == 200) {
					t.Errorf("body is %q", got)
				}
				if got := h.reported(session.Dropped, "late change"); got != (sent && end.lost) {
					t.Errorf("reported as lost: %v", got)
				}
			})
		}
	}
}

func TestCommitErrors(t *testing.T) {
	t.Parallel()
	h := build(t)
	var cookie string
	reply := func(f func(s *session.Session)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			f(session.FromContext(r.Context()))
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Length", "11")
			w.Header().Set("Location", "/elsewhere")
			http.SetCookie(w, &http.Cookie{Name: "mine", Value: "1"})
			w.WriteHeader(http.StatusFound)
			if _, err := io.WriteString(w, "the handler"); err == nil {
				t.Error("the discarded body was taken without an error")
			}
		}
	}
	for name, c := range map[string]struct {
		do     func(s *session.Session)
		fail   func(op, key string) bool
		status int
	}{
		"M5 the store fails": {func(s *session.Session) { count.Put(s, 1) }, writes, 503},
		"M8 too large":       {func(s *session.Session) { owner.Put(s, strings.Repeat("x", 20000)) }, nil, 500},
		"unencodable":        {func(s *session.Session) { session.Key[any]("odd").Put(s, func() {}) }, nil, 500},
		"S8 gone": {func(s *session.Session) {
			h.serve(destroy, request("POST", "", cookie)) // another tab
			count.Put(s, 1)
		}, nil, 409},
	} {
		t.Run(name, func(t *testing.T) {
			cookie = cookieOf(h.session("me"))
			h.store.fail(c.fail)
			res := h.serve(reply(c.do), request("POST", "", cookie))
			h.store.fail(nil)
			wantStatus(t, res, c.status)
			wantNoCookie(t, res)
			wantHeader(t, res, "Content-Type", "application/problem+json")
			wantHeader(t, res, "Location", "")
			wantHeader(t, res, "Cache-Control", "no-store")
			if got := body(t, res); strings.Contains(got, "the handler") || strings.Contains(got, errDown.Error()) {
				t.Errorf("E1 body is %s", got)
			}
			if c.status == 503 {
				wantHeader(t, res, "Retry-After", "2")
			}
		})
	}
}

func TestFailedCommitAndHeaders(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.store.fail(writes)
	rec := httptest.NewRecorder()
	rec.Header().Set("X-Request-Id", "7")
	rec.Header().Set("Set-Cookie", "outer=1")
	rec.Header().Set("Surrogate-Control", "max-age=60")
	h.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		put("me")(w, r)
		for _, name := range []string{"X-Accel-Redirect", "X-Sendfile", "Hx-Redirect", "Authentication-Info", "CDN-Cache-Control", "X-Secret"} {
			w.Header().Set(name, "1")
		}
		w.Header().Add("Set-Cookie", "inner=1")
		w.Header().Set("Vary", "Accept")
		w.Header().Set("Access-Control-Allow-Origin", "https://app.example")
		io.WriteString(w, "x")
	})).ServeHTTP(rec, request("POST", ""))
	res := rec.Result()
	wantStatus(t, res, 503)
	for _, name := range []string{"X-Accel-Redirect", "X-Sendfile", "Hx-Redirect", "Authentication-Info", "CDN-Cache-Control", "X-Secret", "Surrogate-Control"} {
		wantHeader(t, res, name, "")
	}
	wantHeader(t, res, "X-Request-Id", "7")
	wantHeader(t, res, "Access-Control-Allow-Origin", "https://app.example")
	wantHeader(t, res, "Vary", "Cookie, X-Auth-Token, Authorization")
	if got := cookies(res); len(got) != 1 || got[0] != "outer=1" {
		t.Errorf("Set-Cookie is %q", got)
	}
}

func TestDestroyAfterAFailedCommit(t *testing.T) {
	t.Parallel()
	h := build(t)
	cookie := cookieOf(h.session("me"))
	t.Run("S7 it holds", func(t *testing.T) {
		res := h.serve(func(w http.ResponseWriter, r *http.Request) {
			s := session.FromContext(r.Context())
			owner.Put(s, strings.Repeat("x", 20000))
			io.WriteString(w, "x")
			s.Destroy()
		}, request("POST", "", cookie))
		wantStatus(t, res, 500)
		if got := body(t, h.serve(who, request("GET", "", cookie))); got != "" {
			t.Errorf("the cookie opens %q's session", got)
		}
	})
}

func TestCancelledLogout(t *testing.T) {
	t.Parallel()
	h := build(t)
	cookie := cookieOf(h.session("me"))
	t.Run("S7 the tab was closed", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		h.serve(func(_ http.ResponseWriter, r *http.Request) {
			session.FromContext(r.Context()).Destroy()
			cancel()
		}, request("POST", "", cookie).WithContext(ctx))
		if got := body(t, h.serve(who, request("GET", "", cookie))); got != "" {
			t.Errorf("the cookie opens %q's session", got)
		}
	})
}

func TestStoreDown(t *testing.T) {
	t.Parallel()
	h := build(t)
	cookie := cookieOf(h.session("me"))
	h.store.fail(everything)
	t.Run("M5 a cookie's session: 503, no cookie touched, no handler", func(t *testing.T) {
		res := h.serve(func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") }, request("GET", "", cookie))
		wantStatus(t, res, 503)
		wantHeader(t, res, "Retry-After", "2")
		wantNoCookie(t, res)
	})
	t.Run("anonymous requests are served", func(t *testing.T) {
		wantStatus(t, h.serve(who, request("GET", "")), 200)
	})
	t.Run("Forget takes the cookie back without the store", func(t *testing.T) {
		res := h.serve(func(w http.ResponseWriter, _ *http.Request) { h.mw.Forget(w) }, request("POST", ""))
		wantExpired(t, res)
	})
}
