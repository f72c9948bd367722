package main_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	example "github.com/coatcheck/coatcheck/cmd/example"
	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/internal/child"
	"github.com/coatcheck/coatcheck/session"
	"github.com/google/uuid"
)

// Whatever is refused has one line, with the reason and with the ID if there is
// one, and no line has anything that opens a session.
func TestE2E3RejectionsAreLogged(t *testing.T) { //nolint:tparallel // the subtests take turns at one log
	t.Parallel()
	p := spawn(t, env{"COATCHECK_KEYS": keyA, "COATCHECK_EXTERNAL_KEY": keyB, "COATCHECK_LIFETIME": "30m", "COATCHECK_IDLE": "30m"})
	base := p.URL
	browser := newClient(t, base)
	browser.identifier()
	cookie, token := browser.cookies()[0].Value, browser.token()
	id := browser.session().id()
	foreign := begun(t, serve(t, nil))
	gone := newClient(t, base)
	gone.identifier()
	goneID, goneCookie, goneToken := gone.session().id(), gone.cookies()[0].Value, gone.token()
	renewed := newClient(t, base)
	renewed.identifier()
	oldID, oldCookie := renewed.session().id(), renewed.cookies()[0].Value
	renewed.postJSON("/login", `{"user":"alice-in-chains"}`).want(t, http.StatusOK)
	gone.post("/logout").want(t, http.StatusNoContent)
	forged, expired := token[:len(token)-6]+"AAAAAA", expiredToken()
	someID := uuid.NewString()

	for name, tt := range map[string]struct {
		headers []string
		body    string
		status  int
		want    []string // beside event=rejected manager=session
	}{
		"a forged token":                {headers: []string{"X-Auth-Token", forged}, status: 401, want: []string{"reason=token ", `error="tokens: invalid token: bad signature"`}},
		"a forged bearer token":         {headers: []string{"Authorization", "Bearer " + forged}, status: 401, want: []string{"reason=token ", "bad signature"}},
		"a forged token in a body":      {body: `{"token":"` + forged + `"}`, status: 401, want: []string{"reason=token ", "bad signature"}},
		"an expired token":              {headers: []string{"X-Auth-Token", expired}, status: 401, want: []string{"reason=token ", "invalid token: expired"}},
		"a malformed token":             {headers: []string{"X-Auth-Token", "my-secret-key"}, status: 401, want: []string{"reason=token ", "not in this signer's form"}},
		"a token after a logout":        {headers: []string{"X-Auth-Token", goneToken}, status: 401, want: []string{"reason=ended", "id=" + goneID}},
		"a token shown twice":           {headers: []string{"X-Auth-Token", token, "Authorization", "Bearer " + forged}, status: 400, want: []string{`reason="more than one token"`}},
		"a token shown twice in a body": {body: `{"token":"` + token + `","token":"` + token + `"}`, status: 400, want: []string{`reason="more than one token"`}},
		"a body that is no JSON":        {body: token, status: 400, want: []string{"reason=body", "the body is no JSON"}},
		"a malformed cookie":            {headers: []string{"Cookie", "session=my-secret-key"}, status: 200, want: []string{`reason="malformed cookie"`}},
		"cookies that differ":           {headers: []string{"Cookie", "session=" + cookie + "; session=" + oldCookie}, status: 200, want: []string{`reason="cookies that differ"`}},
		"a cookie of another key":       {headers: []string{"Cookie", "session=" + foreign}, status: 200, want: []string{`reason="credential not issued here"`, "id="}},
		"a cookie after a logout":       {headers: []string{"Cookie", "session=" + goneCookie}, status: 200, want: []string{"reason=ended", "id=" + goneID}},
		"a cookie from before a login":  {headers: []string{"Cookie", "session=" + oldCookie}, status: 409, want: []string{"reason=renewed", "id=" + oldID, "successor="}},
		"another site":                  {headers: []string{"Sec-Fetch-Site", "cross-site"}, status: 403, want: []string{"reason=cross-origin", "error="}},
		"another site, with a cookie":   {headers: []string{"Sec-Fetch-Site", "cross-site", "Cookie", "session=" + cookie}, status: 403, want: []string{"reason=cross-origin", "id=" + id}},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(p.Log.String())
			path, contentType := "/visits", ""
			if tt.body != "" {
				contentType = "application/json"
			}
			stranger := newClient(t, base)
			stranger.http.Jar = nil
			stranger.do(http.MethodPost, path, contentType, tt.body, tt.headers...).want(t, tt.status)
			await.Until(t, "a line", func() bool { return strings.HasSuffix(p.Log.String()[before:], "\n") })
			lines := strings.Split(strings.TrimSpace(p.Log.String()[before:]), "\n")
			if len(lines) != 1 {
				t.Fatalf("%d lines, want 1: %q", len(lines), lines)
			}
			for _, want := range append([]string{"level=INFO", `msg="session event"`, "event=rejected", "manager=session"}, tt.want...) {
				if !strings.Contains(lines[0]+" ", want) {
					t.Errorf("%s is missing in %s", want, lines[0])
				}
			}
		})
	}
	t.Run("an external token", func(t *testing.T) {
		base, log := serveLogged(t, env{"COATCHECK_KEYS": keyA}, "-api-keys", "alpha")
		with(t, base, "X-Auth-Token", "my-secret-key").get("/").want(t, http.StatusUnauthorized)
		log.Await(t, `event=rejected manager=session reason="external token"`)
		if strings.Contains(log.String(), "my-secret-key") || strings.Contains(log.String(), "alpha") {
			t.Errorf("the log has a key:\n%s", log)
		}
	})
	t.Run("an ID that is not known", func(t *testing.T) {
		before := p.Log.String()
		with(t, base, "X-Auth-Token", signedToken(someID, time.Hour)).get("/").want(t, http.StatusUnauthorized)
		if line := p.Log.Await(t, "reason=unknown"); !strings.Contains(line, "id="+someID) || strings.Contains(before, line) {
			t.Error(line)
		}
	})
	log := p.Log.String()
	for what, secret := range map[string]string{
		"a cookie": cookie, "a cookie's secret": cookie[22:], "an old cookie's secret": oldCookie[22:], "a dead cookie's secret": goneCookie[22:],
		"a foreign cookie's secret": foreign[22:], "a token": token, "a token's claims": strings.Split(token, ".")[1],
		"a token's signature": strings.Split(token, ".")[2], "a dead token's signature": strings.Split(goneToken, ".")[2],
		"what was shown": "my-secret-key", "a key": keyA[2:], "another key": keyB[2:], "a subject": "alice-in-chains",
	} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %s:\n%s", what, log)
		}
	}
}

// The time in a synctest bubble stands still while nobody waits for it.
func TestStoreFailuresAreThinned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := child.NewJournal()
		observe := example.LogThinned(slog.New(slog.NewTextHandler(log, nil)))
		tell := func(e session.Event, times int) {
			for range times {
				observe(context.Background(), e)
			}
		}
		failed := session.Event{Kind: session.StoreFailed, Node: "n1", Subject: "alice-in-chains", Err: errors.New("no answer")}
		elsewhere := failed
		elsewhere.Node = "n2"
		tell(failed, 3)
		tell(elsewhere, 2)
		tell(session.Event{Kind: session.Rejected, Reason: "ended"}, 5)
		time.Sleep(time.Second)
		tell(failed, 1)
		time.Sleep(time.Second)
		tell(failed, 1)
		for text, want := range map[string]int{
			"event=rejected": 5, "alice": 0, "node=n1": 3, "node=n2": 1, "not_logged": 1, `not_logged=2 event="store failed" node=n1`: 1,
		} {
			if got := strings.Count(log.String(), text); got != want {
				t.Errorf("%q is there %d times, want %d:\n%s", text, got, want, log)
			}
		}
	})
}
