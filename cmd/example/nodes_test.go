package main_test

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// A nodesAnswer is what GET /nodes says.
type nodesAnswer struct {
	Store string
	Nodes []struct {
		Name, Error            string
		Up                     bool
		Evictions, Connections int
		RejectedConnections    int `json:"rejected_connections"`
		Items, Bytes           int
		LimitBytes             int `json:"limit_bytes"`
	}
}

func (c *client) nodes() (n nodesAnswer) {
	c.t.Helper()
	c.get("/nodes").want(c.t, http.StatusOK).wantNoCookie(c.t).wantType(c.t, "application/json").decode(c.t, &n)
	return n
}

func TestNodesOfTheEmbeddedStore(t *testing.T) {
	t.Parallel()
	a := newClient(t, serve(t, nil)).get("/nodes").want(t, http.StatusOK)
	if a.body != `{"store":"embedded","nodes":[]}`+"\n" {
		t.Error(a.body)
	}
	if got := a.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control: %s", got)
	}
}

func TestNodes(t *testing.T) {
	t.Parallel()
	named, nameless := memcachedtest.Start(t, "-m", "32"), memcachedtest.Start(t)
	base, log := serveLogged(t, env{"COATCHECK_KEYS": keyA}, "-memcached", "n1="+named.Addr()+","+nameless.Addr(), "-idle", "30m")
	browser := newClient(t, base)
	browser.identifier()
	with(t, base, "X-Auth-Token", "forged").nodes() // no session is looked for
	n := browser.nodes()
	if n.Store != "memcached" || len(n.Nodes) != 2 {
		t.Fatalf("%+v", n)
	}
	items := 0
	for i, name := range []string{"n1", "#2"} {
		node := n.Nodes[i]
		items += node.Items
		if node.Name != name || !node.Up || node.Error != "" || node.Connections < 1 || node.LimitBytes != []int{32, 64}[i]<<20 {
			t.Errorf("%+v", node)
		}
	}
	if items != 1 {
		t.Errorf("%d items, want 1", items)
	}

	nameless.Stop()
	await.Until(t, "the report of a node that is down", func() bool { return browser.nodes().Nodes[1].Error != "" })
	a := browser.get("/nodes")
	host, port, err := net.SplitHostPort(nameless.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(a.body, host) || strings.Contains(a.body, port) {
		t.Errorf("it tells an address: %s", a.body)
	}
	if line := log.Await(t, "a node did not report"); !strings.Contains(line, nameless.Addr()) {
		t.Errorf("the log does not tell the address: %s", line)
	}
}

func TestNodesThatHang(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	base, log := serveLogged(t, env{"COATCHECK_KEYS": keyA}, "-memcached", "n1="+server.Addr(), "-memcached-timeout", memcachedTimeoutHung)
	c := newClient(t, base)
	c.identifier()
	server.Pause()
	c.get("/").wantUnavailable(t)
	for _, part := range []string{"level=WARN", `event="node down"`, "node=n1"} {
		if line := log.Await(t, "node down"); !strings.Contains(line, part) {
			t.Errorf("no %s in %s", part, line)
		}
	}
	await.Until(t, "the report of a node that hangs", func() bool {
		n := c.nodes().Nodes[0]
		return !n.Up && n.Error == "no answer in time"
	})
	server.Resume()
	log.Await(t, `event="node up"`)
	await.Until(t, "the report of a node that is back", func() bool {
		n := c.nodes().Nodes[0]
		return n.Up && n.Error == ""
	})
}

// A flood of questions costs memcached a connection a second at most.
func TestNodesAreNotHammered(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	base := serve(t, env{"COATCHECK_KEYS": keyA}, "-memcached", server.Addr())
	before := server.Stat(t, "total_connections")
	var clients sync.WaitGroup
	for range 20 {
		c := newClient(t, base)
		clients.Go(func() {
			for range 20 {
				a, err := c.try(http.MethodGet, "/nodes", "", "")
				if err != nil || a.StatusCode != http.StatusOK {
					t.Errorf("%v, %+v", err, a)
					return
				}
			}
		})
	}
	clients.Wait()
	if made := server.Stat(t, "total_connections") - before - 1; made > 10 || made < 1 { // one is this question's own
		t.Errorf("%d connections for 400 requests", made)
	}
}
