package chimw_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

func TestProblems(t *testing.T) {
	t.Parallel()
	h := build(t)
	good, live := h.token("client")
	gone, goneSession := h.token("gone")
	goneSession.Destroy()
	if err := goneSession.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	unknown, _, err := h.signer.Sign("session", newID(t), live.Deadline())
	if err != nil {
		t.Fatal(err)
	}
	t.Run("E1 H5 H7 H8 the same for forged, revoked, unknown and garbage", func(t *testing.T) {
		var first string
		for what, tok := range map[string]string{"forged": flip(good), "revoked": gone, "unknown": unknown, "garbage": `", error="<script>`} {
			res := h.serve(who, request("GET", "", header(tok)))
			wantStatus(t, res, 401)
			wantHeader(t, res, "Content-Type", "application/problem+json")
			wantHeader(t, res, "WWW-Authenticate", `Bearer realm="session", error="invalid_token"`)
			wantHeader(t, res, "Cache-Control", "no-store")
			got := body(t, res)
			if first == "" {
				first = got
			}
			if got != first {
				t.Errorf("%s: body is %s, want %s", what, got, first)
			}
			var p chimw.Problem
			if err := json.Unmarshal([]byte(got), &p); err != nil || p.Status != 401 || p.Title != "Unauthorized" {
				t.Errorf("%s, %v", got, err)
			}
		}
	})
	t.Run("H3 H5 repeated", func(t *testing.T) {
		res := h.serve(who, request("GET", "", header(good), header(good)))
		wantStatus(t, res, 400)
		wantHeader(t, res, "WWW-Authenticate", `Bearer realm="session", error="invalid_request"`)
	})
	t.Run("H2 neither the URL nor a form", func(t *testing.T) {
		r := request("POST", "token="+good+"&access_token="+good, "Content-Type: application/x-www-form-urlencoded")
		r.URL.RawQuery = "token=" + good + "&access_token=" + good + "&X-Auth-Token=" + good
		if got := body(t, h.serve(who, r)); got != "" {
			t.Errorf("the session is %q's", got)
		}
	})
	t.Run("HEAD has no body", func(t *testing.T) {
		res := h.serve(who, request("HEAD", "", header("x")))
		wantStatus(t, res, 401)
		if got := body(t, res); got != "" {
			t.Errorf("body is %q", got)
		}
	})
}

func newID(t *testing.T) session.ID {
	t.Helper()
	id, err := session.ParseID("7c1f1e36-5a2b-4c3d-9e8f-0a1b2c3d4e5f")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestErrors(t *testing.T) {
	t.Parallel()
	h := build(t)
	for name, c := range map[string]struct {
		err    error
		status int
	}{
		"unavailable":       {session.ErrUnavailable, 503},
		"gone":              {session.ErrGone, 409},
		"not found":         {session.ErrNotFound, 404},
		"cookie only":       {chimw.ErrCookieOnly, 403},
		"external":          {chimw.ErrExternal, 403},
		"too large":         {session.ErrTooLarge, 500},
		"anything else":     {errors.New("something internal"), 500},
		"a problem, itself": {&chimw.Problem{Status: 418, Title: "Teapot"}, 418},
	} {
		t.Run("E1 "+name, func(t *testing.T) {
			t.Parallel()
			res := h.serve(func(w http.ResponseWriter, r *http.Request) { h.mw.Error(w, r, c.err) }, request("GET", ""))
			wantStatus(t, res, c.status)
			if got := body(t, res); strings.Contains(got, "internal\"") || strings.Contains(got, "something") {
				t.Errorf("body is %s", got)
			}
			if !errors.Is(&chimw.Problem{Err: c.err}, c.err) {
				t.Error("a problem hides its cause from errors.Is")
			}
		})
	}
	if got := (&chimw.Problem{Title: "T"}).Error(); got != "chimw: T" {
		t.Errorf("Error is %q", got)
	}
	if got := (&chimw.Problem{Title: "T", Err: io.EOF}).Error(); got != "chimw: T: EOF" {
		t.Errorf("Error is %q", got)
	}
}

func TestErrorHandler(t *testing.T) {
	t.Parallel()
	var got *chimw.Problem
	h := build(t, func(_ *session.Config, c *chimw.Config) {
		c.Realm = "my api"
		c.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, p *chimw.Problem) {
			got = p
			w.WriteHeader(p.Status)
			io.WriteString(w, "ours")
		}
	})
	res := h.serve(who, request("GET", "", header("x")))
	wantStatus(t, res, 401)
	wantHeader(t, res, "WWW-Authenticate", `Bearer realm="my api", error="invalid_token"`)
	if b := body(t, res); b != "ours" || got.Err == nil {
		t.Errorf("body is %q for %v", b, got)
	}
}

func TestZeroMiddleware(t *testing.T) {
	t.Parallel()
	for name, mw := range map[string]*chimw.Middleware{"zero": new(chimw.Middleware), "nil": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &house{t: t, mw: mw}
			res := h.serve(func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") }, request("GET", ""))
			wantStatus(t, res, 500)
			if mw.Carrier(t.Context()) != chimw.None {
				t.Error("a carrier outside of a request")
			}
			mw.Forget(nil)
		})
	}
}

func TestGuards(t *testing.T) {
	t.Parallel()
	prints := map[string]string{"alice": "one", "bob": "one"}
	h := build(t, func(_ *session.Config, c *chimw.Config) {
		c.Fingerprint = func(_ context.Context, subject string) (string, error) {
			if subject == "carol" {
				return "", errors.New("the database is down")
			}
			return prints[subject], nil
		}
	})
	login := func(subject, print string) string {
		s := h.manager.New()
		s.SetSubject(subject)
		s.SetFingerprint(print)
		if err := s.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		return cookieOf(s)
	}
	anonymous := cookieOf(h.session("nobody"))
	tok, _ := h.token("client")
	alice, bob, carol := login("alice", "one"), login("bob", "an old one"), login("carol", "one")
	never := func(*http.Request, *session.Session) bool { return false }
	for name, c := range map[string]struct {
		guard     func(http.Handler) http.Handler
		shown     string
		status    int
		challenge string
	}{
		"H6 RequireSession without any":       {h.mw.RequireSession, "X: y", 401, `Bearer realm="session"`},
		"RequireSession with a cookie":        {h.mw.RequireSession, anonymous, 200, ""},
		"RequireSession with a token":         {h.mw.RequireSession, header(tok), 200, ""},
		"H6 RequireSubject without any":       {h.mw.RequireSubject, "X: y", 401, `Bearer realm="session"`},
		"H6 RequireSubject without a subject": {h.mw.RequireSubject, anonymous, 401, `Bearer realm="session"`},
		"RequireSubject":                      {h.mw.RequireSubject, alice, 200, ""},
		"S12 another fingerprint":             {h.mw.RequireSubject, bob, 401, `Bearer realm="session"`},
		"S12 an unknown fingerprint":          {h.mw.RequireSubject, carol, 503, ""},
		"H5 RequireToken without any":         {h.mw.RequireToken, "X: y", 401, `Bearer realm="session"`},
		"H5 RequireToken with a cookie":       {h.mw.RequireToken, alice, 401, `Bearer realm="session"`},
		"RequireToken with a token":           {h.mw.RequireToken, header(tok), 200, ""},
		"Require by cookie":                   {h.mw.Require(never), alice, 403, ""},
		"H7 Require by token":                 {h.mw.Require(never), header(tok), 403, `Bearer realm="session", error="insufficient_scope"`},
		"H5 H6 Require without any":           {h.mw.Require(never), "X: y", 401, `Bearer realm="session"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ran := false
			res := h.serve(c.guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran = true })).ServeHTTP, request("GET", "", c.shown))
			wantStatus(t, res, c.status)
			wantHeader(t, res, "WWW-Authenticate", c.challenge)
			if ran != (c.status == 200) {
				t.Errorf("the handler ran: %v", ran)
			}
			if strings.HasPrefix(name, "S12 another") {
				wantExpired(t, res)
				if got := body(t, h.serve(func(w http.ResponseWriter, r *http.Request) {
					io.WriteString(w, session.FromContext(r.Context()).Subject())
				}, request("GET", "", c.shown))); got != "" {
					t.Errorf("the session is still %q's", got)
				}
			}
		})
	}
	t.Run("outside of the middleware: refused", func(t *testing.T) {
		for _, guard := range []func(http.Handler) http.Handler{h.mw.RequireSession, h.mw.RequireSubject, h.mw.RequireToken} {
			res := direct(guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") })), request("GET", "", alice))
			if res.StatusCode < 400 {
				t.Errorf("status is %d", res.StatusCode)
			}
		}
	})
}

func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	t.Run("X3 X5 trusted origins are the application's own instance's", func(t *testing.T) {
		t.Parallel()
		cop := http.NewCrossOriginProtection()
		if err := cop.AddTrustedOrigin("https://app.example"); err != nil {
			t.Fatal(err)
		}
		h := build(t, func(_ *session.Config, c *chimw.Config) { c.CrossOrigin = cop })
		for origin, status := range map[string]int{
			"https://app.example": 200, "http://app.example": 403, "https://app.example:8443": 403,
			"https://sub.app.example": 403, "https://app.example.evil": 403, "null": 403,
		} {
			res := h.serve(who, request("POST", "", "Sec-Fetch-Site: cross-site", "Origin: "+origin))
			if res.StatusCode != status {
				t.Errorf("from %s: status is %d, want %d", origin, res.StatusCode, status)
			}
		}
	})
	t.Run("X2 a refused request changes nothing", func(t *testing.T) {
		t.Parallel()
		h := build(t)
		cookie := cookieOf(h.session("me"))
		before := h.store.writes.Load()
		res := h.serve(destroy, request("POST", "", cookie, "Sec-Fetch-Site: cross-site"))
		wantStatus(t, res, 403)
		wantNoCookie(t, res)
		if h.store.writes.Load() != before || h.store.reads.Load() != 0 {
			t.Error("the store was asked")
		}
	})
}

func TestCaching(t *testing.T) {
	t.Parallel()
	h := build(t)
	cookie := cookieOf(h.session("me"))
	says := func(headers ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(headers); i += 2 {
				w.Header().Add(headers[i], headers[i+1])
			}
		}
	}
	for name, c := range map[string]struct {
		says []string
		want string
	}{
		"K3 silent":                {nil, "no-cache, private"},
		"K3 public":                {[]string{"Cache-Control", "public, max-age=60"}, "max-age=60, private"},
		"K3 shared age":            {[]string{"Cache-Control", "S-MaxAge=60, max-age=5"}, "max-age=5, private"},
		"K3 two lines":             {[]string{"Cache-Control", "public", "Cache-Control", "immutable"}, "immutable, private"},
		"K3 private already":       {[]string{"Cache-Control", "private, max-age=60"}, "private, max-age=60"},
		"K3 private in part only":  {[]string{"Cache-Control", `private="x-header", max-age=60`}, "no-cache, private"},
		"K3 private in part, bare": {[]string{"Cache-Control", "private=x-a, max-age=60"}, "max-age=60, private"},
		"K3 no-store":              {[]string{"Cache-Control", "no-store"}, "no-store"},
		"K3 quoted":                {[]string{"Cache-Control", `max-age=60, x="a, no-store, b"`}, "no-cache, private"},
		"K3 odd":                   {[]string{"Cache-Control", "no-store=1, s-maxage =60, max-age=60"}, "no-store=1, max-age=60, private"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			headers := append([]string{"CDN-Cache-Control", "max-age=600", "Surrogate-Control", "max-age=600", "Cloudflare-CDN-Cache-Control", "max-age=60", "X-Accel-Expires", "60"}, c.says...)
			res := h.serve(says(headers...), request("GET", "", cookie))
			wantHeader(t, res, "Cache-Control", c.want)
			wantHeader(t, res, "CDN-Cache-Control", "")
			wantHeader(t, res, "Surrogate-Control", "")
			wantHeader(t, res, "Cloudflare-CDN-Cache-Control", "")
			wantHeader(t, res, "X-Accel-Expires", "")
			res = h.serve(says(headers...), request("GET", ""))
			if len(c.says) > 0 {
				wantHeader(t, res, "Cache-Control", c.says[1]) // an anonymous response is the handler's to describe
			}
			t.Run("K2 with a cookie", func(t *testing.T) {
				res := h.serve(func(w http.ResponseWriter, r *http.Request) { renew(w, r); says(headers...)(w, r) }, request("GET", "", cookieOf(h.session("x"))))
				wantHeader(t, res, "Cache-Control", "no-store")
				wantHeader(t, res, "CDN-Cache-Control", "")
			})
		})
	}
	t.Run("K1 Vary is appended to, once", func(t *testing.T) {
		t.Parallel()
		for said, want := range map[string]string{
			"Accept":                        "Accept, Cookie, X-Auth-Token, Authorization",
			"cookie":                        "cookie, X-Auth-Token, Authorization",
			"*":                             "*",
			"Accept-Encoding, X-AUTH-TOKEN": "Accept-Encoding, X-AUTH-TOKEN, Cookie, Authorization",
		} {
			res := h.serve(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Vary", said) }, request("GET", ""))
			if got := strings.Join(res.Header["Vary"], ", "); got != want {
				t.Errorf("Vary is %q, want %q", got, want)
			}
		}
	})
	t.Run("K4 Clear-Site-Data is opt-in", func(t *testing.T) {
		t.Parallel()
		wantHeader(t, h.serve(destroy, request("POST", "", cookieOf(h.session("x")))), "Clear-Site-Data", "")
		h := build(t, func(_ *session.Config, c *chimw.Config) { c.ClearSiteData = `"storage"` })
		wantHeader(t, h.serve(destroy, request("POST", "", cookieOf(h.session("x")))), "Clear-Site-Data", `"storage"`)
		wantHeader(t, h.serve(who, request("POST", "", cookieOf(h.session("x")))), "Clear-Site-Data", "")
	})
}
