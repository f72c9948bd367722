package chimw_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

func TestPanics(t *testing.T) {
	t.Parallel()
	crash := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		owner.Put(session.FromContext(r.Context()), "me")
		panic("the handler's")
	})
	t.Run("C13 K1 a recoverer outside: nothing is committed, Vary stays", func(t *testing.T) {
		t.Parallel()
		h := build(t)
		rec := httptest.NewRecorder()
		recoverer(h.mw.Handler(crash)).ServeHTTP(rec, request("POST", ""))
		res := rec.Result()
		wantStatus(t, res, 500)
		wantNoCookie(t, res)
		wantHeader(t, res, "Vary", "Cookie, X-Auth-Token, Authorization")
		if n := h.store.writes.Load(); n != 0 {
			t.Errorf("%d writes", n)
		}
	})
	t.Run("C13 a recoverer inside: an answer like any other", func(t *testing.T) {
		t.Parallel()
		h := build(t)
		rec := httptest.NewRecorder()
		h.mw.Handler(recoverer(crash)).ServeHTTP(rec, request("POST", ""))
		wantStatus(t, rec.Result(), 500)
		given(t, rec.Result())
	})
}

func TestPanicInTheCommit(t *testing.T) {
	t.Parallel()
	h := build(t)
	cookie := cookieOf(h.session("me"))
	runs := 0
	panicking := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		count.Update(s, func(int) int {
			if runs++; runs > 1 {
				panic("f ran again")
			}
			return 1
		})
		h.serve(put("you"), request("POST", "", cookie)) // a conflict
		io.WriteString(w, "success")
	})
	rec := httptest.NewRecorder()
	h.mw.Handler(recoverer(panicking)).ServeHTTP(rec, request("POST", "", cookie))
	wantStatus(t, rec.Result(), 500)
	if strings.Contains(rec.Body.String(), "success") {
		t.Error("it reports success")
	}
}

func TestPanickingErrorHandler(t *testing.T) {
	t.Parallel()
	h := build(t, func(_ *session.Config, c *chimw.Config) {
		c.ErrorHandler = func(http.ResponseWriter, *http.Request, *chimw.Problem) { panic("the error handler's") }
	})
	h.store.fail(writes)
	rec := httptest.NewRecorder()
	h.mw.Handler(recoverer(putAndAnswer)).ServeHTTP(rec, request("POST", ""))
	wantStatus(t, rec.Result(), 500)
}

var putAndAnswer = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	owner.Put(session.FromContext(r.Context()), "me")
	io.WriteString(w, "success")
})
