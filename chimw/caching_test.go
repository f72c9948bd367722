package chimw_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

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
}

func TestClearSiteData(t *testing.T) {
	t.Parallel()
	h := build(t)
	t.Run("K4 Clear-Site-Data is opt-in", func(t *testing.T) {
		t.Parallel()
		wantHeader(t, h.serve(destroy, request("POST", "", cookieOf(h.session("x")))), "Clear-Site-Data", "")
		h := build(t, func(_ *session.Config, c *chimw.Config) { c.ClearSiteData = `"storage"` })
		wantHeader(t, h.serve(destroy, request("POST", "", cookieOf(h.session("x")))), "Clear-Site-Data", `"storage"`)
		wantHeader(t, h.serve(who, request("POST", "", cookieOf(h.session("x")))), "Clear-Site-Data", "")
	})
}

func TestVaryIsAppendedTo(t *testing.T) {
	t.Parallel()
	h := build(t)
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
}

func TestVaryIsEachResponsesOwn(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.serve(func(w http.ResponseWriter, _ *http.Request) { w.Header()["Vary"][0] = "Accept-Encoding" }, request("GET", ""))
	t.Run("K1 whatever another response did with its", func(t *testing.T) {
		wantHeader(t, h.serve(who, request("GET", "")), "Vary", "Cookie, X-Auth-Token, Authorization")
	})
}

func TestForgetIsNotCached(t *testing.T) {
	t.Parallel()
	h := build(t)
	t.Run("K2 a cookie taken back", func(t *testing.T) {
		res := h.serve(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=60")
			h.mw.Forget(w)
		}, request("GET", ""))
		wantExpired(t, res)
		wantHeader(t, res, "Cache-Control", "no-store")
	})
	t.Run("K2 no token after the first byte", func(t *testing.T) {
		h.serve(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "x")
			if _, err := h.mw.IssueToken(r.Context(), h.manager.New()); !errors.Is(err, session.ErrLate) {
				t.Errorf("error is %v", err)
			}
		}, request("GET", ""))
	})
}
