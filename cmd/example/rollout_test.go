package main_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/internal/exampletest"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// apiKeys are enough for each of three nodes to have a session of one.
const apiKeys = "alpha,beta,gamma,delta,epsilon,zeta,eta,theta"

// A step is what the processes are told while a change of the nodes goes on.
type step struct{ nodes, agree string }

// runbook is the table in docs/operations.md, from n1,n2 to n1,n2,n3.
func runbook(t *testing.T) (steps []step) {
	t.Helper()
	rows := regexp.MustCompile("(?m)^\\| (?:before|[123]) \\| `(n1,n2[^`]*)` \\| (?:`([^`]*)` )?\\|").FindAllStringSubmatch(page(t, "docs/operations.md"), -1)
	if len(rows) != 4 {
		t.Fatalf("found %d steps, want 4: %q", len(rows), rows)
	}
	for _, row := range rows {
		steps = append(steps, step{row[1], row[2]})
	}
	return steps
}

// with returns the step for other lists, of which each name gets an address.
func (s step) with(before, after string, servers map[string]*memcachedtest.Server) step {
	list := func(names string) string {
		switch names {
		case "":
			return ""
		case "n1,n2,n3":
			names = after
		default:
			names = before
		}
		nodes := strings.Split(names, ",")
		for i, name := range nodes {
			nodes[i] = name + "=" + servers[name].Addr()
		}
		return strings.Join(nodes, ",")
	}
	return step{list(s.nodes), list(s.agree)}
}

// patiently asks again where a node was too busy to answer in time, which logs
// nobody out.
func patiently(t *testing.T, ask func() *answer) (a *answer) {
	t.Helper()
	await.Until(t, "an answer other than 503", func() bool {
		a = ask()
		return a.StatusCode != http.StatusServiceUnavailable
	})
	return a.want(t, http.StatusOK)
}

// A crowd is people with a browser each, enough for every node to have some.
type crowd struct {
	t      *testing.T
	people []*client
	until  []time.Time // when each has to sign in again
}

func newCrowd(t *testing.T, base string) *crowd {
	t.Helper()
	c := &crowd{t: t, until: make([]time.Time, 16)}
	for range c.until {
		c.people = append(c.people, newClient(t, base))
	}
	return c
}

// signIn has every nth of them sign in, which gives each a new session.
func (c *crowd) signIn(base string, nth int) {
	c.t.Helper()
	for i := 0; i < len(c.people); i += nth {
		person := c.people[i].at(base)
		a := patiently(c.t, func() *answer { return person.postJSON("/login", fmt.Sprintf(`{"user":"u%d"}`, i)) })
		c.until[i] = *a.description(c.t).Deadline
	}
}

// lost counts those whom a process does not know before their time is over.
func (c *crowd) lost(base string) (lost int) {
	c.t.Helper()
	for i, person := range c.people {
		there := person.at(base)
		d := patiently(c.t, func() *answer { return there.get("/session") }).description(c.t)
		known := d.Subject == fmt.Sprint("u", i)
		if !known && time.Now().Before(c.until[i]) {
			lost++
		}
	}
	return lost
}

func (c *crowd) stays(when, base string) {
	c.t.Helper()
	if n := c.lost(base); n > 0 {
		c.t.Errorf("%s: %d of %d were logged out", when, n, len(c.people))
	}
}

// over reports whether everybody's time is over.
func (c *crowd) over() bool {
	for _, until := range c.until {
		if time.Now().Before(until) {
			return false
		}
	}
	return true
}

// TestRunbook walks docs/operations.md with processes that are replaced one by
// one: at each step some have the lists of before and some those of after, and
// everybody may meet either, and sign in there.
func TestRunbook(t *testing.T) {
	t.Parallel()
	steps := runbook(t)
	for name, tt := range map[string]struct {
		before, after string
		walk          []int
	}{
		"adding":       {"n1,n2", "n1,n2,n3", []int{0, 1, 2, 3}},
		"removing":     {"n1,n2,n3", "n1,n2", []int{0, 1, 2, 3}},
		"replacing":    {"n1,n2", "n1,n3", []int{0, 1, 2, 3}},
		"rolling back": {"n1,n2", "n1,n2,n3", []int{0, 1, 2, 1, 0}},
	} {
		t.Run("M12 "+name+" logs nobody out", func(t *testing.T) {
			t.Parallel()
			servers := startNodes(t)
			// Only what began before the first step has to end before the second:
			// so that it takes no longer than that, the others may live.
			now := spawnStep(t, steps[0].with(tt.before, tt.after, servers), "5s")
			people := newCrowd(t, now.URL)
			people.signIn(now.URL, 1)
			var alpha string
			for i, n := range tt.walk[1:] {
				next := spawnStep(t, steps[n].with(tt.before, tt.after, servers), "1h")
				for _, p := range []*exampletest.Server{now, next, now} {
					people.stays(fmt.Sprintf("rolling out step %d", n), p.URL)
					people.signIn(p.URL, 2)
				}
				people.stays(fmt.Sprintf("rolling out step %d", n), next.URL)
				now.Kill()
				if i == 0 {
					await.Until(t, "the end of the sessions from before", people.over)
					people.signIn(next.URL, 1)
					alpha = identifierOf(t, next.URL, "alpha")
				}
				people.stays(fmt.Sprintf("after step %d", n), next.URL)
				if got := identifierOf(t, next.URL, "alpha"); got != alpha {
					t.Errorf("after step %d the API key has another session", n)
				}
				now = next
			}
		})
	}
	t.Run("M12 an abrupt change logs some out", func(t *testing.T) {
		t.Parallel()
		servers := startNodes(t)
		before := spawnStep(t, steps[0].with("n1,n2", "n1,n2,n3", servers), "1h")
		people := newCrowd(t, before.URL)
		people.signIn(before.URL, 1)
		abrupt := spawnStep(t, steps[3].with("n1,n2", "n1,n2,n3", servers), "1h")
		if n := people.lost(abrupt.URL); n == 0 || n == len(people.people) {
			t.Errorf("%d of %d", n, len(people.people))
		}
	})
}

// TestDeadNode walks the runbook from its second step on.
func TestDeadNode(t *testing.T) {
	t.Parallel()
	steps, servers := runbook(t), startNodes(t)
	old := spawnStep(t, steps[0].with("n1,n2,n3", "n1,n2", servers), "1h")
	people := newCrowd(t, old.URL)
	people.signIn(old.URL, 1)
	servers["n3"].Stop()
	now := spawnStep(t, steps[2].with("n1,n2,n3", "n1,n2", servers), "1h")
	t.Run("M11 only its own sessions are lost", func(t *testing.T) {
		unavailable := 0
		for i, person := range people.people {
			if person.get("/session").StatusCode == http.StatusServiceUnavailable {
				unavailable++
				people.until[i] = time.Now()
			}
		}
		if unavailable == 0 || unavailable == len(people.people) {
			t.Errorf("%d of %d", unavailable, len(people.people))
		}
		people.stays("step 2", now.URL)
	})
	t.Run("M12 those who sign in again are found by all", func(t *testing.T) {
		people.signIn(now.URL, 1)
		people.stays("by those who have not heard of it", old.URL)
	})
	t.Run("M11 API keys of the dead node have to wait for step 3", func(t *testing.T) {
		if n := refusedAPIKeys(t, now.URL); n == 0 || n == strings.Count(apiKeys, ",")+1 {
			t.Errorf("step 2: %d are refused", n)
		}
		old.Kill()
		done := spawnStep(t, steps[3].with("n1,n2,n3", "n1,n2", servers), "1h")
		await.Until(t, "step 3: none is refused", func() bool { return refusedAPIKeys(t, done.URL) == 0 })
		people.stays("step 3", done.URL)
	})
}

func identifierOf(t *testing.T, base, key string) string {
	t.Helper()
	c := with(t, base, "X-Auth-Token", key)
	return patiently(t, func() *answer { return c.get("/") }).identifier(t)
}

func refusedAPIKeys(t *testing.T, base string) (refused int) {
	t.Helper()
	for key := range strings.SplitSeq(apiKeys, ",") {
		if with(t, base, "X-Auth-Token", key).get("/").StatusCode == http.StatusServiceUnavailable {
			refused++
		}
	}
	return refused
}

func startNodes(t *testing.T) map[string]*memcachedtest.Server {
	t.Helper()
	return map[string]*memcachedtest.Server{"n1": memcachedtest.Start(t), "n2": memcachedtest.Start(t), "n3": memcachedtest.Start(t)}
}

func spawnStep(t *testing.T, s step, lifetime string) *exampletest.Server {
	t.Helper()
	return spawn(t, env{
		"COATCHECK_KEYS": keyA, "COATCHECK_MEMCACHED": s.nodes, "COATCHECK_MEMCACHED_AGREE": s.agree,
		"COATCHECK_API_KEYS": apiKeys, "COATCHECK_IDLE": lifetime, "COATCHECK_LIFETIME": lifetime,
	})
}
