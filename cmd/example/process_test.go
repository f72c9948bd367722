//go:build unix

package main_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

func TestSignalsDrain(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			p := spawn(t, nil)
			newClient(t, p.URL).identifier() // an idle connection is nothing to wait for

			host := strings.TrimPrefix(p.URL, "http://")
			conn, err := net.Dial("tcp", host)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			const body = `{"user":"alice"}`
			fmt.Fprintf(conn, "POST /login HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", host, len(body))
			answers := bufio.NewReader(conn)
			readLine(t, answers, "HTTP/1.1 100 Continue") // a handler waits for the body
			readLine(t, answers, "")

			p.Signal(t, sig)
			p.Log.Await(t, "shutting down")
			await.Until(t, "new connections are refused", func() bool {
				conn, err := net.Dial("tcp", host)
				if err == nil {
					conn.Close()
				}
				return err != nil
			})
			select {
			case <-p.Exited:
				t.Errorf("it ended with a request under way:\n%s", p.Log)
			default:
			}
			io.WriteString(conn, body)
			readLine(t, answers, "HTTP/1.1 200 OK")
			if got := p.ExitCode(t); got != 0 {
				t.Errorf("exit status %d:\n%s", got, p.Log)
			}
		})
	}
}

func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	e := env{"COATCHECK_KEYS": keyA, "COATCHECK_MEMCACHED": server.Addr(), "COATCHECK_IDLE": "30m", "COATCHECK_API_KEYS": "alpha"}
	one, two := spawn(t, e), spawn(t, e)

	browser := newClient(t, one.URL)
	browser.postJSON("/login", `{"user":"alice"}`).want(t, http.StatusOK)
	identifier, id, token := browser.identifier(), browser.session().id(), browser.token()
	external := with(t, one.URL, "X-Auth-Token", "alpha").identifier()

	counted := 0
	check := func(what, url string) {
		t.Helper()
		for _, c := range []*client{browser.at(url), with(t, url, "X-Auth-Token", token)} {
			c.post("/visits").want(t, http.StatusOK).wantNoCookie(t)
			counted++
			d := c.session()
			if d.id() != id || d.Subject != "alice" || d.Visits != counted || c.identifier() != identifier {
				t.Fatalf("%s: %+v, want session %s with %d visits", what, d, id, counted)
			}
		}
		if got := with(t, url, "X-Auth-Token", "alpha").identifier(); got != external {
			t.Errorf("%s: the API key's session has identifier %s, not %s", what, got, external)
		}
	}
	check("the first", one.URL)
	check("the second", two.URL)
	one.Kill()
	check("the second, after the first was killed", two.URL)
	three := spawn(t, e)
	check("the first, started again", three.URL)
	two.Kill()
	check("the first, after the second was killed", three.URL)
	check("the second, started again", spawn(t, e).URL)

	// What one process ends is over in the other.
	browser.at(three.URL).post("/logout").want(t, http.StatusNoContent)
	with(t, three.URL, "X-Auth-Token", token).get("/session").want(t, http.StatusUnauthorized)
}

// TestKeyRotation follows -h: at each step some processes have the keys of
// before and some those of after, and every client may meet either.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	start := func(keys, external string) string {
		t.Helper()
		return serve(t, env{"COATCHECK_KEYS": keys, "COATCHECK_EXTERNAL_KEY": external, "COATCHECK_API_KEYS": "alpha"},
			"-memcached", server.Addr(), "-idle", "30m")
	}
	steps := []string{keyA, keyA + "," + keyB, keyB + "," + keyA, keyB}
	for i := range steps[1:] {
		t.Run(fmt.Sprint("J14 S20 step ", i+1), func(t *testing.T) {
			t.Parallel()
			before, after := start(steps[i], ""), start(steps[i+1], "")
			for _, way := range [][2]string{{before, after}, {after, before}} {
				browser := newClient(t, way[0])
				identifier, token := browser.identifier(), browser.token()
				if got := browser.at(way[1]).identifier(); got != identifier {
					t.Errorf("by cookie %s, not %s", got, identifier)
				}
				if got := with(t, way[1], "X-Auth-Token", token).identifier(); got != identifier {
					t.Errorf("by token %s, not %s", got, identifier)
				}
			}
		})
	}
	t.Run("J14 S20 what a dropped key made is refused", func(t *testing.T) {
		t.Parallel()
		browser := newClient(t, start(keyA, ""))
		browser.identifier()
		token, dropped := browser.token(), start(keyB, "")
		with(t, dropped, "X-Auth-Token", token).get("/").want(t, http.StatusUnauthorized)
		if d := browser.at(dropped).session(); d.Carrier != "none" {
			t.Errorf("by cookie: %+v", d)
		}
	})
	for name, external := range map[string]string{"their own key": "external-" + keyA, "the first key": ""} {
		t.Run("API keys' sessions follow "+name, func(t *testing.T) {
			seen := make(map[string]bool)
			for _, keys := range steps[:3] {
				seen[with(t, start(keys, external), "X-Auth-Token", "alpha").identifier()] = true
			}
			want := 1
			if external == "" {
				want = 2
			}
			if len(seen) != want {
				t.Errorf("%d sessions, want %d", len(seen), want)
			}
		})
	}
}
