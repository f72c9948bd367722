package chimw_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

func TestCookieFlow(t *testing.T) {
	t.Parallel()
	h := build(t)
	res := h.serve(put("me"), request("POST", ""))
	first := given(t, res)
	wantHeader(t, res, "Cache-Control", "no-store")
	t.Run("a cookie brings the session back, and is set once", func(t *testing.T) {
		res := h.serve(who, request("GET", "", first))
		if got := body(t, res); got != "me" {
			t.Errorf("the session is %q's", got)
		}
		wantNoCookie(t, res)
		wantHeader(t, res, "Cache-Control", "no-cache, private")
	})
	var second string
	t.Run("S5 a login renews", func(t *testing.T) {
		second = given(t, h.serve(login, request("POST", "", first)))
		if got := body(t, h.serve(who, request("GET", "", first))); got != "" {
			t.Errorf("the old cookie opens %q's session", got)
		}
		if got := body(t, h.serve(who, request("GET", "", second))); got != "me" {
			t.Errorf("the new cookie opens %q's session", got)
		}
	})
	t.Run("S19 a late answer to the old cookie leaves the new one alone", func(t *testing.T) {
		wantNoCookie(t, h.serve(who, request("GET", "", first)))
		res := h.serve(put("late"), request("POST", "", first))
		wantStatus(t, res, http.StatusConflict)
		wantNoCookie(t, res)
		if got := body(t, h.serve(who, request("GET", "", second))); got != "me" {
			t.Errorf("the session is %q's now", got)
		}
	})
	t.Run("S19 a double-clicked login gives a session of its own", func(t *testing.T) {
		third := given(t, h.serve(login, request("POST", "", first)))
		if third == second {
			t.Error("the same credential was given twice")
		}
		if got := body(t, h.serve(who, request("GET", "", second))); got != "me" {
			t.Errorf("the session is %q's now", got)
		}
	})
	t.Run("S7 C10 logout expires the cookie, and replay fails", func(t *testing.T) {
		wantExpired(t, h.serve(destroy, request("POST", "", second)))
		if got := body(t, h.serve(who, request("GET", "", second))); got != "" {
			t.Errorf("the cookie opens %q's session", got)
		}
		wantExpired(t, h.serve(destroy, request("POST", "", second))) // again, by a dead cookie
	})
}

func TestWhatComesAfterADestroy(t *testing.T) {
	t.Parallel()
	h := build(t)
	t.Run("C9 renewed twice and destroyed: one Set-Cookie", func(t *testing.T) {
		c := given(t, h.serve(put("x"), request("POST", "")))
		res := h.serve(func(w http.ResponseWriter, r *http.Request) {
			s := session.FromContext(r.Context())
			for range 2 {
				s.Renew()
				if err := s.Commit(r.Context()); err != nil {
					t.Error(err)
				}
			}
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "mine"})
			http.SetCookie(w, &http.Cookie{Name: "session2", Value: "other"})
			s.Destroy()
		}, request("POST", "", c))
		if got := cookies(res); len(got) != 2 || got[0] != "session2=other" || got[1] != "session="+cookieAttributes+"; Max-Age=0" {
			t.Errorf("Set-Cookie is %q", got)
		}
	})
	t.Run("destroy, then a message for the next page", func(t *testing.T) {
		c := given(t, h.serve(put("x"), request("POST", "")))
		next := given(t, h.serve(change(func(s *session.Session) { s.Destroy(); owner.Put(s, "bye") }), request("POST", "", c)))
		if got := body(t, h.serve(who, request("GET", "", c))) + body(t, h.serve(who, request("GET", "", next))); got != "bye" {
			t.Errorf("the two sessions hold %q", got)
		}
	})
}

var tokenKinds = map[string]option{"signed": func(*session.Config, *chimw.Config) {}, "opaque": opaque}

func TestTokenFlow(t *testing.T) {
	t.Parallel()
	for name, o := range tokenKinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, o)
			res := h.serve(h.issue, request("POST", ""))
			wantNoCookie(t, res)
			wantHeader(t, res, "Cache-Control", "no-store")
			tok := body(t, res)
			wantNoCookie(t, h.serve(put("client"), request("POST", "", header(tok))))
			if got := body(t, h.serve(who, request("GET", "", "Authorization: Bearer "+tok))); got != "client" {
				t.Errorf("the session is %q's", got)
			}
			t.Run("S5 a renewal gives a fresh token in the header, and the old one is dead", func(t *testing.T) {
				res := h.serve(login, request("POST", "", header(tok)))
				wantNoCookie(t, res)
				wantHeader(t, res, "Cache-Control", "no-store")
				next := res.Header.Get("X-Auth-Token")
				if next == "" || next == tok {
					t.Fatalf("X-Auth-Token is %q", next)
				}
				wantStatus(t, h.serve(who, request("GET", "", header(tok))), 401)
				if got := body(t, h.serve(who, request("GET", "", header(next)))); got != "client" {
					t.Errorf("the session is %q's", got)
				}
				tok = next
			})
			t.Run("S7 logout, then a new session by the same carrier", func(t *testing.T) {
				res := h.serve(change(func(s *session.Session) { s.Destroy(); owner.Put(s, "after") }), request("POST", "", header(tok)))
				wantNoCookie(t, res)
				next := res.Header.Get("X-Auth-Token")
				if got := body(t, h.serve(who, request("GET", "", header(next)))); got != "after" {
					t.Errorf("the session is %q's", got)
				}
				wantStatus(t, h.serve(who, request("GET", "", header(tok))), 401)
				res = h.serve(destroy, request("POST", "", header(next)))
				wantNoCookie(t, res)
				wantHeader(t, res, "X-Auth-Token", "")
				wantStatus(t, h.serve(who, request("GET", "", header(next))), 401)
			})
		})
	}
}

func TestTokenBesideACookie(t *testing.T) {
	t.Parallel()
	for name, o := range tokenKinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, o)
			t.Run("a token for a session of its own", func(t *testing.T) {
				cookie := given(t, h.serve(put("browser"), request("POST", "")))
				res := h.serve(func(w http.ResponseWriter, r *http.Request) {
					s := h.manager.New()
					owner.Put(s, "robot")
					tok, err := h.mw.IssueToken(r.Context(), s)
					if err != nil {
						t.Error(err)
					}
					io.WriteString(w, tok.Reveal())
				}, request("POST", "", cookie))
				wantNoCookie(t, res)
				wantHeader(t, res, "Cache-Control", "no-store")
				if got := body(t, h.serve(who, request("GET", "", header(body(t, res))))); got != "robot" {
					t.Errorf("the session is %q's", got)
				}
			})
			t.Run("a token for a cookie's session", func(t *testing.T) {
				cookie := given(t, h.serve(put("browser"), request("POST", "")))
				res := h.serve(h.issue, request("POST", "", cookie))
				if name == "opaque" { // its credential must not leave the cookie
					wantStatus(t, res, 403)
					return
				}
				wantNoCookie(t, res)
				tok := body(t, res)
				wantExpired(t, h.serve(destroy, request("POST", "", cookie)))
				wantStatus(t, h.serve(who, request("GET", "", header(tok))), 401) // it ends with the session
			})
		})
	}
}
