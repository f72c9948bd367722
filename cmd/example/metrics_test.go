package main_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	example "github.com/coatcheck/coatcheck/cmd/example"
	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

func TestMetricsStartAtZero(t *testing.T) {
	t.Parallel()
	_, metrics, _ := serveMetered(t, env{"COATCHECK_KEYS": keyA}, "-memcached", "n1=127.0.0.1:1,127.0.0.1:2")
	now := scrape(t, metrics)
	for kind, reasons := range example.Reasons {
		for _, reason := range reasons {
			if kind == session.NodeDown || kind == session.NodeUp {
				continue
			}
			name := event(string(kind))
			if reason != "" {
				name = event(string(kind), reason)
			}
			if now.at(t, name) != 0 {
				t.Errorf("%s is %v", name, now[name])
			}
		}
	}
	for _, name := range []string{
		ofNode("node down", "n1", ""), ofNode("node up", "#2", ""), ofNode("store failed", "#2", "session"),
		`coatcheck_store_duration_seconds{operation="update",outcome="conflict"}`,
		`coatcheck_store_duration_seconds{operation="get",outcome="failed"}`,
	} {
		if now.at(t, name) != 0 {
			t.Errorf("%s is %v", name, now[name])
		}
	}
	now.at(t, "go_goroutines")
}

func TestMetricsOfSessions(t *testing.T) { //nolint:tparallel // the subtests take turns at one server's counters
	t.Parallel()
	base, metrics, _ := serveMetered(t, env{"COATCHECK_KEYS": keyA}, "-idle", "30m")
	browser, foreign := newClient(t, base), begun(t, serve(t, nil))

	for _, step := range []struct {
		name string
		want map[string]float64
		do   func()
	}{
		{"a session begins", map[string]float64{event("created"): 1, `coatcheck_store_duration_seconds{operation="create",outcome="ok"}`: 1}, func() {
			browser.identifier()
		}},
		{"a read", map[string]float64{event("created"): 0, `coatcheck_store_duration_seconds{operation="get",outcome="ok"}`: 1}, func() {
			browser.session()
		}},
		{"a login", map[string]float64{event("renewed"): 1, event("created"): 0}, func() {
			browser.postJSON("/login", `{"user":"alice"}`).want(t, http.StatusOK)
		}},
		{"a conflict", map[string]float64{
			event("conflict"): 1, event("renewed"): 1, `coatcheck_store_duration_seconds{operation="update",outcome="conflict"}`: 1,
		}, func() { loginMeanwhile(t, browser, func() { browser.post("/visits").want(t, http.StatusOK) }) }},
		{"a forged token", map[string]float64{
			event("rejected", "token malformed"): 1, `coatcheck_store_duration_seconds{operation="get",outcome="ok"}`: 0,
		}, func() { with(t, base, "X-Auth-Token", "forged").get("/").want(t, http.StatusUnauthorized) }},
		{"a cookie of another key", map[string]float64{event("rejected", "credential not issued here"): 1}, func() {
			with(t, base, "Cookie", "session="+foreign).session()
		}},
		{"a logout", map[string]float64{event("destroyed"): 1}, func() { browser.post("/logout").want(t, http.StatusNoContent) }},
	} {
		t.Run(step.name, func(t *testing.T) { wantMore(t, metrics, step.want, step.do) })
	}
}

// loginMeanwhile logs in by a request that has loaded its session before
// meanwhile, and commits after it.
func loginMeanwhile(t *testing.T, c *client, meanwhile func()) {
	t.Helper()
	host := strings.TrimPrefix(c.base, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const body = `{"user":"bob"}`
	fmt.Fprintf(conn, "POST /login HTTP/1.1\r\nHost: %s\r\nCookie: session=%s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		host, c.cookies()[0].Value, len(body))
	answers := bufio.NewReader(conn)
	readLine(t, answers, "HTTP/1.1 100 Continue") // the handler has its session, and waits for the body
	readLine(t, answers, "")
	meanwhile()
	io.WriteString(conn, body)
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("login: %s", resp.Status)
	}
	c.http.Jar.SetCookies(c.parse(c.base), resp.Cookies())
}

func TestMetricsOfExpiry(t *testing.T) {
	t.Parallel()
	base, metrics, _ := serveMetered(t, nil, "-lifetime", "1s")
	value := begun(t, base)
	await.Until(t, "an expired session", func() bool {
		with(t, base, "Cookie", "session="+value).session()
		return scrape(t, metrics).at(t, event("expired")) > 0
	})
}

// begun returns the cookie of a new session.
func begun(t *testing.T, base string) string {
	t.Helper()
	c := newClient(t, base)
	c.identifier()
	return c.cookies()[0].Value
}

func TestMetricsOfNodes(t *testing.T) {
	t.Parallel()
	named, nameless := memcachedtest.Start(t, "-m", "32"), memcachedtest.Start(t)
	base, metrics, _ := serveMetered(t, env{"COATCHECK_KEYS": keyA}, "-memcached", "n1="+named.Addr()+","+nameless.Addr(), "-idle", "30m")
	browser := newClient(t, base)
	browser.postJSON("/login", `{"user":"alice-in-chains"}`).want(t, http.StatusOK)
	id, token, cookie := browser.session().id(), browser.token(), browser.cookies()[0].Value

	now := scrape(t, metrics)
	for name, want := range map[string]float64{
		`coatcheck_node_up{node="n1"}`: 1, `coatcheck_node_reporting{node="#2"}`: 1, `coatcheck_node_up{node="#2"}`: 1,
		`coatcheck_node_limit_bytes{node="n1"}`: 32 << 20, `coatcheck_node_limit_bytes{node="#2"}`: 64 << 20,
		`coatcheck_node_evictions_total{node="n1"}`: 0, `coatcheck_node_rejected_connections_total{node="n1"}`: 0,
	} {
		if got := now.at(t, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	for _, name := range []string{"connections", "items", "bytes", "gets_total"} {
		if now.at(t, `coatcheck_node_`+name+`{node="n1"}`)+now.at(t, `coatcheck_node_`+name+`{node="#2"}`) == 0 {
			t.Errorf("%s is 0", name)
		}
	}

	nameless.Stop()
	await.Until(t, "the second node is down", func() bool {
		newClient(t, base).get("/") // some of these go to it
		now := scrape(t, metrics)
		return now.at(t, ofNode("node down", "#2", "")) == 1 && now.at(t, `coatcheck_node_up{node="#2"}`) == 0
	})
	now = scrape(t, metrics)
	if got := now.at(t, `coatcheck_node_reporting{node="#2"}`); got != 0 {
		t.Errorf("a node that is down reports: %v", got)
	}
	if _, ok := now[`coatcheck_node_evictions_total{node="#2"}`]; ok {
		t.Error("a node that is down counts evictions")
	}
	host, port, err := net.SplitHostPort(nameless.Addr())
	if err != nil {
		t.Fatal(err)
	}
	text := newClient(t, metrics).get("/metrics").body
	for what, secret := range map[string]string{
		"a host": host, "a port": ":" + port, "a session's ID": id, "a subject": "alice-in-chains", "a token": token, "a cookie": cookie,
	} {
		if strings.Contains(text, secret) {
			t.Errorf("it tells %s", what)
		}
	}

	nameless.Restart()
	await.Until(t, "the second node is back", func() bool {
		now := scrape(t, metrics)
		return now.at(t, ofNode("node up", "#2", "")) == 1 && now.at(t, `coatcheck_node_up{node="#2"}`) == 1 && now[`coatcheck_node_limit_bytes{node="#2"}`] > 0
	})
}

func TestMetricsOfFailingStore(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	base, metrics, log := serveMetered(t, env{"COATCHECK_KEYS": keyA}, "-memcached", "n1="+server.Addr(), "-idle", "30m")
	browser := newClient(t, base)
	browser.identifier()
	spoil(t, server)
	wantMore(t, metrics, map[string]float64{event("unreadable", "record"): 1}, func() { browser.session() })

	browser.identifier()
	server.Stop()
	const requests = 20
	wantMore(t, metrics, map[string]float64{ofNode("store failed", "n1", "session"): requests}, func() {
		for range requests {
			browser.get("/session").wantUnavailable(t)
		}
	})
	if n := strings.Count(log.String(), `event="store failed"`); n < 1 || n > requests/2 {
		t.Errorf("%d lines for %d requests:\n%s", n, requests, log)
	}
	if strings.Contains(log.String(), "msg=failed") {
		t.Errorf("each request is logged besides:\n%s", log)
	}
}

// spoil writes what nobody has sealed over all that is stored.
func spoil(t *testing.T, server *memcachedtest.Server) {
	t.Helper()
	store, err := memcached.New(memcached.Config{Nodes: []string{server.Addr()}, Timeout: await.Limit})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for key := range server.Dump(t) {
		_, version, err := store.Get(t.Context(), key)
		if err == nil {
			err = store.Update(t.Context(), key, []byte("not sealed"), version, time.Minute)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestMetricsAreForOperators(t *testing.T) {
	t.Parallel()
	base, metrics, _ := serveMetered(t, nil)
	newClient(t, base).get("/metrics").want(t, http.StatusNotFound)
	newClient(t, metrics).get("/").want(t, http.StatusNotFound)
	newClient(t, metrics).post("/metrics").want(t, http.StatusMethodNotAllowed)
	newClient(t, metrics).get("/metrics").want(t, http.StatusOK).wantNoCookie(t)
	_, log := serveLogged(t, nil)
	if strings.Contains(log.String(), "metrics") {
		t.Errorf("they are served unasked:\n%s", log)
	}
	taken := strings.TrimPrefix(metrics, "http://")
	if status, _, stderr := runOnce(t, env{"COATCHECK_KEYS": keyA}, "-metrics-addr", taken); status != 1 || !strings.Contains(stderr, taken) {
		t.Errorf("a taken port: exit status %d\n%s", status, stderr)
	}
}

func TestMetricsAreWellNamed(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	_, metrics, _ := serveMetered(t, env{"COATCHECK_KEYS": keyA}, "-memcached", server.Addr())
	problems, err := promlint.New(strings.NewReader(newClient(t, metrics).get("/metrics").body)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

// Whatever an event holds, only texts that are known beforehand become labels.
func TestMetricsHaveFewSeries(t *testing.T) {
	t.Parallel()
	m := example.NewMetrics("session", map[string]string{"n1": "n1"})
	handler := m.Handler()
	gather := func() series {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
		return parseMetrics(t, w.Body.String())
	}
	before := len(gather())
	observe := m.Observer(slog.New(slog.DiscardHandler))
	for i := range 100 {
		text := fmt.Sprint("text ", i)
		observe(context.Background(), session.Event{Kind: session.Rejected, Manager: "session", Reason: text, Subject: text})
		observe(context.Background(), session.Event{Kind: session.StoreFailed, Manager: "session", Node: text, Err: errors.New(text)})
	}
	now := gather()
	if n := len(now) - before; n != 2 {
		t.Errorf("%d new series, want 2", n)
	}
	if now.at(t, event("rejected", "other")) != 100 || now.at(t, ofNode("store failed", "other", "session")) != 100 {
		t.Errorf("%v", now)
	}
}
