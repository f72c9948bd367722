package main_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coatcheck/coatcheck/internal/await"
)

func TestIdentifier(t *testing.T) {
	t.Parallel()
	base := serve(t, nil, "-api-keys", "alpha,beta")

	t.Run("a first request gets a cookie and an identifier", func(t *testing.T) {
		t.Parallel()
		c := newClient(t, base)
		a := c.get("/").want(t, http.StatusOK).wantType(t, "text/plain; charset=utf-8")
		cookies := c.cookies()
		if len(cookies) != 1 || cookies[0].Name != "session" {
			t.Fatalf("cookies %v, want one called session", cookies)
		}
		if again := c.get("/").want(t, http.StatusOK).wantNoCookie(t).identifier(t); again != a.identifier(t) {
			t.Error("the second request sees another identifier")
		}
		if posted := c.post("/").want(t, http.StatusOK).identifier(t); posted != a.identifier(t) {
			t.Error("POST sees another identifier")
		}
	})
	t.Run("two clients have two", func(t *testing.T) {
		t.Parallel()
		one, two := newClient(t, base), newClient(t, base)
		if id := one.identifier(); two.identifier() == id {
			t.Error("two clients see one identifier")
		}
	})
	t.Run("a token sees the cookie's, and sets no cookie", func(t *testing.T) {
		t.Parallel()
		browser := newClient(t, base)
		want, token := browser.identifier(), browser.token()
		for _, c := range []*client{with(t, base, "X-Auth-Token", token), with(t, base, "Authorization", "bearer "+token)} {
			if got := c.get("/").want(t, http.StatusOK).wantNoCookie(t).identifier(t); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		body := fmt.Sprintf(`{"token":%q}`, token)
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			c := newClient(t, base)
			a := c.do(method, "/", "application/json", body).want(t, http.StatusOK).wantNoCookie(t)
			if got := a.identifier(t); got != want {
				t.Errorf("%s with a JSON body: %s, want %s", method, got, want)
			}
		}
	})
	t.Run("an API key has one wherever it comes from", func(t *testing.T) {
		t.Parallel()
		one, two, other := with(t, base, "X-Auth-Token", "alpha"), with(t, base, "X-Auth-Token", "alpha"), with(t, base, "X-Auth-Token", "beta")
		if a, b := one.identifier(), two.identifier(); a != b {
			t.Errorf("two clients with one key see %s and %s", a, b)
		}
		if one.identifier() == other.identifier() {
			t.Error("two keys see one identifier")
		}
		with(t, base, "X-Auth-Token", "gamma").get("/").wantProblem(t, http.StatusUnauthorized, "token is not valid")
	})
	t.Run("of many first requests at once all see the same", func(t *testing.T) {
		t.Parallel()
		for round := range 20 {
			key := fmt.Sprint("racing-", round)
			base := serve(t, nil, "-api-keys", key)
			seen := make([]string, 8)
			await.Together(len(seen), func(i int) { seen[i] = with(t, base, "X-Auth-Token", key).identifier() })
			if slices.Sort(seen); seen[0] != seen[len(seen)-1] {
				t.Fatalf("round %d: %q", round, seen)
			}
		}
	})
}

func TestSession(t *testing.T) {
	t.Parallel()
	base := serve(t, nil, "-idle", "40s", "-lifetime", "2h", "-api-keys", "alpha")

	t.Run("S15 none is begun by looking", func(t *testing.T) {
		t.Parallel()
		a := newClient(t, base).get("/session").want(t, http.StatusOK).wantNoCookie(t).wantType(t, "application/json")
		const want = `{"id":null,"carrier":"none","subject":"","created":null,"deadline":null,"idle_deadline":null,"visits":0}` + "\n"
		if a.body != want {
			t.Errorf("%s, want %s", a.body, want)
		}
		a = with(t, base, "X-Auth-Token", "alpha").get("/session").want(t, http.StatusOK)
		if d := a.description(t); d.ID != nil || d.Carrier != "token" {
			t.Errorf("with an API key that was never used: %s", a.body)
		}
	})
	t.Run("X6 its carrier and its times", func(t *testing.T) {
		t.Parallel()
		begun := time.Now().Truncate(time.Millisecond)
		browser := newClient(t, base)
		browser.post("/visits").want(t, http.StatusOK)
		d := browser.session()
		if d.ID == nil || d.Carrier != "cookie" || d.Visits != 1 {
			t.Fatalf("%+v", d)
		}
		if d.Created.Before(begun) || d.Created.After(time.Now()) {
			t.Errorf("created %v, not since %v", d.Created, begun)
		}
		if d.Deadline.Sub(*d.Created) != 2*time.Hour || d.IdleDeadline.Sub(*d.Created) < 40*time.Second {
			t.Errorf("created %v, idle deadline %v, deadline %v", d.Created, d.IdleDeadline, d.Deadline)
		}
		e := with(t, base, "X-Auth-Token", browser.token()).session()
		if e.id() != d.id() || e.Carrier != "token" || e.Visits != 1 {
			t.Errorf("by token: %+v, by cookie: %+v", e, d)
		}
	})
}

func TestVisits(t *testing.T) {
	t.Parallel()
	base := serve(t, nil)

	t.Run("S17 none is lost, and each is answered with its own number", func(t *testing.T) {
		t.Parallel()
		browser := newClient(t, base)
		browser.identifier()
		program := with(t, base, "X-Auth-Token", browser.token())
		const n = 40
		var answers [n]int
		await.Together(n, func(i int) {
			var a struct{ Visits int }
			[]*client{browser, program}[i%2].post("/visits").want(t, http.StatusOK).decode(t, &a)
			answers[i] = a.Visits
		})
		slices.Sort(answers[:])
		for i, got := range answers {
			if got != i+1 {
				t.Fatalf("the answers are %v", answers)
			}
		}
		if got := browser.session().Visits; got != n {
			t.Errorf("%d, want %d", got, n)
		}
	})
	t.Run("a form gets the page again", func(t *testing.T) {
		t.Parallel()
		c := newClient(t, base)
		a := c.postForm("/visits", "").want(t, http.StatusSeeOther)
		if got := a.Header.Get("Location"); got != "/" {
			t.Errorf("Location %q", got)
		}
		if got := c.session().Visits; got != 1 {
			t.Errorf("%d visits", got)
		}
	})
}

func TestOtherSites(t *testing.T) {
	t.Parallel()
	base := serve(t, nil)
	for _, path := range []string{"/", "/login", "/logout", "/token", "/visits", "/forge", "/sessions/end-others", "/sessions/" + uuid.NewString() + "/end"} {
		t.Run("X4 "+path, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, base)
			c.postForm(path, "user=mallory", "Sec-Fetch-Site", "cross-site").want(t, http.StatusForbidden).wantNoCookie(t)
			c.postForm(path, "user=mallory", "Origin", "https://evil.example").want(t, http.StatusForbidden).wantNoCookie(t)
		})
	}
	t.Run("X2 a token in a header comes from no other site", func(t *testing.T) {
		t.Parallel()
		c := with(t, base, "X-Auth-Token", newClient(t, base).token())
		c.post("/visits", "Origin", "https://spa.example", "Sec-Fetch-Site", "cross-site").want(t, http.StatusOK)
	})
}

func TestUnknownRoutes(t *testing.T) {
	t.Parallel()
	c := newClient(t, serve(t, nil))
	for _, path := range []string{"/nowhere", "/metrics", "/session/"} {
		c.get(path).wantNoCookie(t).wantProblem(t, http.StatusNotFound, "")
	}
	for path, allowed := range map[string][]string{"/": {"GET", "POST"}, "/session": {"GET"}, "/login": {"POST"}, "/sessions": {"GET"}, "/sessions/end-others": {"POST"}, "/forge": {"POST"}, "/healthz": {"GET"}, "/nodes": {"GET"}} {
		a := c.do(http.MethodPut, path, "", "")
		a.wantProblem(t, http.StatusMethodNotAllowed, "")
		if got := a.Header.Values("Allow"); !slices.Equal(got, allowed) {
			t.Errorf("%s allows %q, want %q", path, got, allowed)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	c := newClient(t, serve(t, nil))
	a := c.get("/healthz").want(t, http.StatusOK).wantNoCookie(t).wantType(t, "text/plain; charset=utf-8")
	if a.body != "ok\n" {
		t.Errorf("%q", a.body)
	}
	c.get("/healthz", "X-Auth-Token", "forged").want(t, http.StatusOK) // no session is looked for
	if a := c.do(http.MethodHead, "/healthz", "", "").want(t, http.StatusOK); a.body != "" {
		t.Errorf("HEAD: %q", a.body)
	}
}
