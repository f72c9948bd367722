package chimw_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

// twice mounts two middlewares over one store, one within the other. Each has
// to have a header of its own: a token that a middleware doesn't know is
// refused, not passed over in silence.
func twice(t *testing.T, options ...option) (site, admin *house, newClient func(jar bool) *visitor) {
	site = build(t)
	admin = build(t, append([]option{func(m *session.Config, c *chimw.Config) {
		m.Store, m.Name = site.store, "admin"
		c.Tokens, c.Header, c.NoBearer = site.signer, "X-Admin-Token", true
	}}, options...)...)
	r := chi.NewRouter()
	r.Use(site.mw.Handler)
	site.pages(r, "")
	r.Route("/admin", func(r chi.Router) {
		r.Use(admin.mw.Handler)
		admin.pages(r, "")
		r.Handle("/both", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			outer, inner := site.manager.FromContext(r.Context()), admin.manager.FromContext(r.Context())
			if session.FromContext(r.Context()) != inner || inner == outer {
				t.Error("session.FromContext is not the innermost middleware's")
			}
			if r.Method == "POST" {
				owner.Put(outer, "visitor")
				owner.Put(inner, "administrator")
			}
			a, _ := owner.Get(outer)
			b, _ := owner.Get(inner)
			fmt.Fprintf(w, "%s by %s, %s by %s", a, site.mw.Carrier(r.Context()), b, admin.mw.Carrier(r.Context()))
		}))
	})
	return site, admin, serving(t, "http", r)
}

func TestMountedTwice(t *testing.T) {
	t.Parallel()
	site, admin, newClient := twice(t)
	browser, client := newClient(true), newClient(false)
	t.Run("S16 C9 each sets its own cookie, once", func(t *testing.T) {
		res := browser.do("POST", "/admin/both")
		if got := res.header["Set-Cookie"]; len(got) != 2 || len(res.header["Cache-Control"]) != 1 {
			t.Errorf("Set-Cookie is %q", got)
		}
		if got := browser.cookies("http"); !strings.Contains(got, "session=") || !strings.Contains(got, "admin=") {
			t.Errorf("the browser has %s", got)
		}
		if got := strings.Join(res.header["Vary"], ", "); got != "Cookie, X-Auth-Token, Authorization, X-Admin-Token" {
			t.Errorf("K1 Vary is %q", got)
		}
	})
	t.Run("S16 X6 each has its own session", func(t *testing.T) {
		browser.want(200, "visitor by cookie, administrator by cookie", "GET", "/admin/both")
		browser.want(200, "visitor", "GET", "/who")
		browser.want(200, "administrator", "GET", "/admin/who")
	})
	t.Run("S16 a logout ends one of them", func(t *testing.T) {
		browser.want(200, "", "POST", "/admin/logout")
		browser.want(200, "visitor by cookie,  by none", "GET", "/admin/both")
	})
	a, _ := site.token("client")
	b, _ := admin.token("robot")
	t.Run("S16 each has its own token and header", func(t *testing.T) {
		client.want(200, "client by header, robot by header", "GET", "/admin/both", header(a), "X-Admin-Token: "+b)
		client.want(200, " by none, robot by header", "GET", "/admin/both", "X-Admin-Token: "+b)
		client.want(200, "client by header,  by none", "GET", "/admin/both", "Authorization: Bearer "+a)
		browser.want(200, "visitor by cookie, robot by header", "GET", "/admin/both", "X-Admin-Token: "+b)
	})
	t.Run("S16 J8 neither takes the other's", func(t *testing.T) {
		client.want(401, "", "GET", "/admin/both", header(b))
		client.want(401, "", "GET", "/admin/both", "X-Admin-Token: "+a)
		client.want(200, "client", "GET", "/who", header(a), "X-Admin-Token: "+b)
	})
	t.Run("S16 with the same header the outer one refuses the inner one's tokens", func(t *testing.T) {
		_, admin, newClient := twice(t, func(_ *session.Config, c *chimw.Config) { c.Header, c.NoBearer = "", false })
		b, _ := admin.token("robot")
		newClient(false).want(401, "", "GET", "/admin/both", header(b))
	})
}

func TestMountedTwiceAndFailing(t *testing.T) {
	t.Parallel()
	t.Run("M5 the inner one's commit fails: the outer one's is answered for", func(t *testing.T) {
		t.Parallel()
		site, _, newClient := twice(t)
		site.store.fail(func(op, key string) bool { return op == "create" && strings.HasPrefix(key, "admin") })
		browser := newClient(true)
		browser.want(503, "", "POST", "/admin/both")
		site.store.fail(nil)
		browser.want(200, "visitor by cookie,  by none", "GET", "/admin/both")
	})
	t.Run("M5 the outer one's commit fails: an error, whatever became of the inner one", func(t *testing.T) {
		t.Parallel()
		site, _, newClient := twice(t)
		site.store.fail(func(op, key string) bool { return op == "create" && !strings.HasPrefix(key, "admin") })
		res := newClient(true).do("POST", "/admin/both")
		if res.status != 503 || strings.Contains(res.body, "visitor") {
			t.Errorf("%d %s", res.status, res.body)
		}
	})
}
