package benchmarks_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/docs/benchmarks"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// TestLibraries has every library do right what is measured.
func TestLibraries(t *testing.T) {
	t.Parallel()
	set := libraries(t, memcachedtest.Start(t).Addr())
	for name, l := range set {
		for _, by := range carriers(l) {
			t.Run(name+" by "+by, func(t *testing.T) {
				t.Parallel()
				u := benchmarks.NewUser(7, 900, 5)
				h := benchmarks.Routes(l, func(string) benchmarks.User { return u })
				c := benchmarks.NewClient(h, by)
				want(t, c, "GET", "/anonymous", benchmarks.Hello)
				if err := c.Login(l, ""); err != nil {
					t.Fatal(err)
				}
				testSession(t, c, u)
				testForged(t, *c)
				testLogin(t, c, l)
				testSession(t, c, u)
				if k, ok := l.(benchmarks.KeyHolder); ok && by == benchmarks.ByToken {
					testExpired(t, *c, k.Key())
				}
			})
		}
	}
}

func TestInMemory(t *testing.T) {
	t.Parallel()
	set, err := benchmarks.InMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Close)
	for name, l := range set {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := benchmarks.NewUser(7, 900, 5)
			c := benchmarks.NewClient(benchmarks.Routes(l, func(string) benchmarks.User { return u }), benchmarks.ByCookie)
			if err := c.Login(l, ""); err != nil {
				t.Fatal(err)
			}
			testSession(t, c, u)
		})
	}
}

func libraries(t *testing.T, addr string) benchmarks.Set {
	t.Helper()
	set, err := benchmarks.Libraries(addr, 8)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Close)
	return set
}

func carriers(l benchmarks.Library) []string {
	if l.Name() == "jwtauth" {
		return []string{benchmarks.ByToken}
	}
	if _, ok := l.(benchmarks.Issuer); ok {
		return []string{benchmarks.ByCookie, benchmarks.ByToken}
	}
	return []string{benchmarks.ByCookie}
}

// testSession wants a session that was just begun: what was stored is read, and
// its counter begins anew.
func testSession(t *testing.T, c *benchmarks.Client, u benchmarks.User) {
	t.Helper()
	want(t, c, "GET", "/untouched", benchmarks.Hello)
	want(t, c, "GET", "/read", u.Email)
	want(t, c, "GET", "/value?note", u.Note)
	want(t, c, "GET", "/value?a000", u.Values["a000"])
	want(t, c, "GET", "/value?a001", u.Values["a001"])
	want(t, c, "GET", "/value?missing", "")
	for _, n := range []string{"1", "2", "3"} {
		want(t, c, "POST", "/count", n)
	}
	want(t, c, "GET", "/read", u.Email)
}

func testForged(t *testing.T, c benchmarks.Client) {
	t.Helper()
	c.Forge()
	testRefused(t, &c)
}

func testExpired(t *testing.T, c benchmarks.Client, key []byte) {
	t.Helper()
	if err := c.Expire(key); err != nil {
		t.Fatal(err)
	}
	testRefused(t, &c)
}

// testLogin wants another credential, and the one before dead. A token that is a
// session by itself lives on until it expires.
func testLogin(t *testing.T, c *benchmarks.Client, l benchmarks.Library) {
	t.Helper()
	before := *c
	want(t, c, "POST", "/login", benchmarks.Hello)
	if l.Name() == "jwtauth" {
		want(t, &before, "GET", "/untouched", benchmarks.Hello)
		return
	}
	if c.Shown() == before.Shown() {
		t.Error("a login left the credential as it was")
	}
	testRefused(t, &before)
}

// testRefused wants what a client without a session gets, or 401.
func testRefused(t *testing.T, c *benchmarks.Client) {
	t.Helper()
	res := c.Do("GET", "/read")
	if res.Code == http.StatusUnauthorized || res.Code == http.StatusOK && res.Body.Len() == 0 {
		return
	}
	t.Errorf("GET /read by what is worth nothing: %d %q", res.Code, res.Body)
}

func want(t *testing.T, c *benchmarks.Client, method, target, body string) {
	t.Helper()
	if res := c.Do(method, target); res.Code != http.StatusOK || res.Body.String() != body {
		t.Errorf("%s %s: %d %.80q, want 200 %.80q", method, target, res.Code, res.Body, body)
	}
}

// TestWorks does all that is measured, a little of it, and counts the store calls
// of what is to cost none.
func TestWorks(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t, "-c", "4096")
	set := libraries(t, server.Addr())
	const clients = 8
	for _, w := range slices.Concat(reads, slides, writes) {
		for _, library := range w.libraries {
			t.Run(w.String()+"/library="+library, func(t *testing.T) { // one after another: their calls are counted
				n := clients
				if w.sessions > 0 {
					n = min(w.sessions, 3*clients)
				}
				seats, err := w.seats(set[library], n, max(n, clients))
				if err != nil {
					t.Fatal(err)
				}
				before := calls(t, server)
				if err := w.each(seats, clients, 5*clients); err != nil {
					t.Error(err)
				}
				if made := calls(t, server) - before; w.free(library) != (made == 0) {
					t.Errorf("%d store calls", made)
				}
			})
		}
	}
}

// TestWrongAnswers has the checks see what a benchmark must not measure.
func TestWrongAnswers(t *testing.T) {
	t.Parallel()
	set, err := benchmarks.InMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Close)
	for _, w := range reads {
		if w.name == "read" && w.by == "cookie" {
			seats, err := w.seats(set["coatcheck"], 2, 2)
			if err != nil {
				t.Fatal(err)
			}
			seats[0].user, seats[1].user = seats[1].user, seats[0].user
			if err := w.each(seats, 2, 10); !errors.Is(err, errBody) || !strings.Contains(err.Error(), "GET /read") {
				t.Errorf("another user's e-mail address: %v", err)
			}
		}
	}
}
