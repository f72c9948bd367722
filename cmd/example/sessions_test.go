package main_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
	"github.com/google/uuid"
)

// A sessionsAnswer is what GET /sessions says.
type sessionsAnswer struct {
	Sessions []struct {
		ID, Label, Carrier string
		Current            bool
		Created, Deadline  time.Time
		LastSeen           time.Time `json:"last_seen"`
		IdleDeadline       time.Time `json:"idle_deadline"`
	}
	Missing []string
}

func (c *client) sessions() (l sessionsAnswer) {
	c.t.Helper()
	c.get("/sessions").want(c.t, http.StatusOK).wantNoCookie(c.t).wantType(c.t, "application/json").decode(c.t, &l)
	return l
}

func (l sessionsAnswer) ids() []string {
	var ids []string
	for _, s := range l.Sessions {
		ids = append(ids, s.ID)
	}
	return slices.Sorted(slices.Values(ids))
}

// signIn is a login of a client that says what it is.
func (c *client) signIn(user, userAgent string) *client {
	c.t.Helper()
	c.postForm("/login", url.Values{"user": {user}}.Encode(), "User-Agent", userAgent).want(c.t, http.StatusSeeOther)
	return c
}

// byToken is a program with a session of its own, which it signed in by token.
func byToken(t *testing.T, base, user string) *client {
	t.Helper()
	a := with(t, base, "X-Auth-Token", newClient(t, base).token()).postJSON("/login", fmt.Sprintf(`{"user":%q}`, user), "User-Agent", "robot/1")
	return with(t, base, "X-Auth-Token", a.want(t, http.StatusOK).Header.Get("X-Auth-Token"))
}

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"

func TestSessions(t *testing.T) {
	t.Parallel()
	base := serve(t, nil, "-api-keys", "alpha,beta", "-idle", "30m")
	browser := newBrowser(t, base).signIn("alice", firefox)
	program := byToken(t, base, "alice")
	external := with(t, base, "X-Auth-Token", "alpha")
	external.postJSON("/login", `{"user":"alice"}`, "User-Agent", "cron/1").want(t, http.StatusOK)
	newClient(t, base).signIn("bob", firefox)
	clients := map[string]*client{"cookie": browser, "token": program, "external": external}

	var ids []string
	for _, c := range clients {
		var d description
		c.get("/session").decode(t, &d)
		ids = append(ids, d.id())
	}
	slices.Sort(ids)
	for carrier, c := range clients {
		t.Run("seen by "+carrier, func(t *testing.T) {
			t.Parallel()
			l := c.sessions()
			if !slices.Equal(l.ids(), ids) || len(l.Missing) != 0 {
				t.Errorf("%+v, want %q", l, ids)
			}
			labels := map[string]string{"cookie": "Firefox on Linux", "token": "robot", "external": "cron"}
			for _, s := range l.Sessions {
				if s.Label != labels[s.Carrier] || s.Current != (s.Carrier == carrier) {
					t.Errorf("%+v", s)
				}
				if s.LastSeen.Before(s.Created) || s.IdleDeadline.Sub(s.LastSeen) != 30*time.Minute || s.Deadline.Sub(s.Created) != 12*time.Hour {
					t.Errorf("the times of %+v", s)
				}
			}
		})
	}
	t.Run("on the page", func(t *testing.T) {
		t.Parallel()
		a := browser.get("/").wantPage(t, http.StatusOK, "Firefox on Linux", "robot", "cron", `id="form-end-others"`)
		for _, id := range ids {
			if strings.Count(a.body, `<li data-session-id="`+id+`"`) != 1 || strings.Count(a.body, `action="/sessions/`+id+`/end#sessions"`) != 1 {
				t.Errorf("session %s is not listed once:\n%s", id, a.body)
			}
		}
		if n := strings.Count(a.body, ` class="current"`); n != 1 {
			t.Errorf("%d sessions are this one", n)
		}
	})
	t.Run("not by those who are not signed in", func(t *testing.T) {
		t.Parallel()
		stranger := newClient(t, base)
		for range 2 { // without a session, then with one
			for _, ask := range []func() *answer{
				func() *answer { return stranger.get("/sessions") },
				func() *answer { return stranger.post("/sessions/" + ids[0] + "/end") },
				func() *answer { return stranger.post("/sessions/end-others") },
				func() *answer { return with(t, base, "X-Auth-Token", "beta").get("/sessions") },
			} {
				a := ask().wantNoCookie(t)
				a.wantProblem(t, http.StatusUnauthorized, "required")
				if got := a.Header.Get("WWW-Authenticate"); got != `Bearer realm="session"` {
					t.Errorf("WWW-Authenticate %q", got)
				}
			}
			stranger.identifier()
		}
		newBrowser(t, base).get("/").wantPage(t, http.StatusOK, "Sign in to see them")
	})
}

func TestEndSession(t *testing.T) {
	t.Parallel()
	base := serve(t, nil)
	end := func(id string) string { return "/sessions/" + id + "/end" }

	t.Run("another by cookie, with a form", func(t *testing.T) {
		t.Parallel()
		c, other := newClient(t, base).signIn("ann", ""), byToken(t, base, "ann")
		if got := c.postForm(end(other.session().id()), "").want(t, http.StatusSeeOther).Header.Get("Location"); got != "/" {
			t.Errorf("Location %q", got)
		}
		other.get("/session").want(t, http.StatusUnauthorized)
		if l := c.sessions(); len(l.Sessions) != 1 || !l.Sessions[0].Current {
			t.Errorf("left: %+v", l)
		}
	})
	t.Run("another by token", func(t *testing.T) {
		t.Parallel()
		c, other := byToken(t, base, "bea"), newClient(t, base).signIn("bea", "")
		c.post(end(other.session().id())).want(t, http.StatusNoContent).wantNoCookie(t)
		if d := other.session(); d.ID != nil {
			t.Errorf("%+v", d)
		}
		if d := c.session(); d.Subject != "bea" {
			t.Errorf("the one that asked: %+v", d)
		}
	})
	t.Run("the client's own, which is signing out", func(t *testing.T) {
		t.Parallel()
		c := newClient(t, base).signIn("cat", "")
		c.postForm(end(c.session().id()), "").want(t, http.StatusSeeOther)
		if len(c.cookies()) != 0 {
			t.Errorf("it has %v", c.cookies())
		}
		program := byToken(t, base, "cat")
		program.post(end(program.session().id())).want(t, http.StatusNoContent)
		program.get("/session").want(t, http.StatusUnauthorized)
	})
	t.Run("not what is somebody else's, nor what never was", func(t *testing.T) {
		t.Parallel()
		c, other, nobody := newClient(t, base).signIn("dan", ""), newClient(t, base).signIn("eve", ""), newClient(t, base)
		nobody.identifier()
		var bodies []string
		for _, id := range []string{other.session().id(), nobody.session().id(), uuid.NewString(), "x", strings.ToUpper(other.session().id()), "%00", "..%2f" + other.session().id()} {
			a := c.post(end(id)).wantNoCookie(t)
			a.wantProblem(t, http.StatusNotFound, "")
			bodies = append(bodies, a.body)
		}
		if slices.Sort(bodies); bodies[0] != bodies[len(bodies)-1] {
			t.Errorf("the answers tell them apart: %q", slices.Compact(bodies))
		}
		if other.session().ID == nil || nobody.session().ID == nil || c.session().ID == nil {
			t.Error("one was ended")
		}
	})
	t.Run("all others", func(t *testing.T) {
		t.Parallel()
		c, bystander := newClient(t, base).signIn("fay", ""), newClient(t, base).signIn("gus", "")
		others := []*client{newClient(t, base).signIn("fay", ""), newClient(t, base).signIn("fay", "")}
		program := byToken(t, base, "fay")
		c.postForm("/sessions/end-others", "").want(t, http.StatusSeeOther)
		for _, other := range others {
			if d := other.session(); d.ID != nil {
				t.Errorf("%+v", d)
			}
		}
		program.get("/session").want(t, http.StatusUnauthorized)
		if c.session().Subject != "fay" || bystander.session().Subject != "gus" || len(c.sessions().Sessions) != 1 {
			t.Errorf("left: %+v, %+v", c.session(), bystander.session())
		}
		c.post("/sessions/end-others").want(t, http.StatusNoContent) // there are none
	})
}

// TestSessionsOfANodeThatIsDown has two nodes, and a subject with sessions on
// both. Whether his list can be read depends on which of them has it: there is a
// subject of either kind.
func TestSessionsOfANodeThatIsDown(t *testing.T) {
	t.Parallel()
	one, two := memcachedtest.Start(t), memcachedtest.Start(t)
	base := serve(t, env{"COATCHECK_KEYS": keyA}, "-memcached", "n1="+one.Addr()+",n2="+two.Addr(), "-idle", "30m")
	on := func(server *memcachedtest.Server, id string) bool {
		for key := range maps.Keys(server.Dump(t)) {
			u := uuid.MustParse(id)
			if strings.HasSuffix(key, ":"+base64.RawURLEncoding.EncodeToString(u[:])) {
				return true
			}
		}
		return false
	}
	isOnTwo := func(id string) (itIs bool) { // a dump can miss what memcached moves meanwhile
		await.Until(t, "one of them has it", func() bool { itIs = on(two, id); return itIs || on(one, id) })
		return itIs
	}
	type account struct {
		user   string
		up     *client
		upIDs  []string
		downID []string
	}
	var accounts []account
	for i := range 12 {
		a := account{user: fmt.Sprint("user-", i)}
		for len(a.upIDs) < 2 || len(a.downID) < 1 {
			c := newClient(t, base).signIn(a.user, "")
			id := c.session().id()
			if isOnTwo(id) {
				a.downID = append(a.downID, id)
				continue
			}
			a.up, a.upIDs = c, append(a.upIDs, id)
		}
		slices.Sort(a.upIDs)
		slices.Sort(a.downID)
		accounts = append(accounts, a)
	}

	two.Stop()
	partly, notAtAll := 0, 0
	for _, account := range accounts {
		a := account.up.get("/sessions")
		page := account.up.get("/", "Accept", browserAccept)
		ended := account.up.post("/sessions/end-others")
		ended.wantUnavailable(t)
		if a.StatusCode == http.StatusServiceUnavailable {
			notAtAll++
			page.wantPage(t, http.StatusOK, "can’t be read at the moment")
			continue
		}
		partly++
		var l sessionsAnswer
		a.want(t, http.StatusOK).decode(t, &l)
		if slices.Sort(l.Missing); !slices.Equal(l.ids(), account.upIDs) || !slices.Equal(l.Missing, account.downID) {
			t.Errorf("%s: %+v, want %q and %q missing", account.user, l, account.upIDs, account.downID)
		}
		page.wantPage(t, http.StatusOK, append(account.downID, "did not answer for them")...)
		ended.wantProblem(t, http.StatusServiceUnavailable, fmt.Sprintf("may go on: %d. The others were ended.", len(account.downID)))
		account.up.get("/sessions").want(t, http.StatusOK).decode(t, &l)
		if len(l.Sessions) != 1 {
			t.Errorf("%s: left: %+v", account.user, l)
		}
	}
	if partly == 0 || notAtAll == 0 {
		t.Errorf("%d lists could be read in part, %d not at all: this tests only one of the two", partly, notAtAll)
	}
}
