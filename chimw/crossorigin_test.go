package chimw_test

import (
	"net/http"
	"testing"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

// TestStandardRules compares with the judgement of net/http itself: requests by
// cookie, and those without a session, are refused when it refuses them.
func TestStandardRules(t *testing.T) {
	t.Parallel()
	judge := http.NewCrossOriginProtection()
	if err := judge.AddTrustedOrigin("https://app.example"); err != nil {
		t.Fatal(err)
	}
	judge.AddInsecureBypassPattern("/hook")
	h := build(t, func(_ *session.Config, c *chimw.Config) { c.CrossOrigin = judge })
	cookie := cookieOf(h.session("me"))
	t.Run("X3 the same for every request", func(t *testing.T) {
		t.Parallel()
		refused := 0
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"} {
			for _, r := range fromAnywhere(method, cookie) {
				want := judge.Check(r) != nil
				if got := h.serve(who, r).StatusCode == http.StatusForbidden; got != want {
					t.Errorf("%s %s with %v: refused %v, by net/http %v", method, r.URL, r.Header, got, want)
				}
				if want {
					refused++
				}
			}
		}
		if refused == 0 {
			t.Error("net/http refused nothing: the test shows nothing")
		}
	})
}

// fromAnywhere makes requests of one method with all that the rules look at, and
// without a session and with one.
func fromAnywhere(method, cookie string) (all []*http.Request) {
	const none = "X: y"
	for _, path := range []string{"/", "/hook", "/hook/more"} {
		for _, site := range []string{none, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: same-site", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: none", "Sec-Fetch-Site: odd"} {
			for _, origin := range []string{none, "Origin: https://app.example", "Origin: http://app.example", "Origin: http://example.com", "Origin: https://example.com:1", "Origin: null"} {
				for _, shown := range []string{none, cookie} {
					r := request(method, "", site, origin, shown)
					r.URL.Path = path
					all = append(all, r)
				}
			}
		}
	}
	return all
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
