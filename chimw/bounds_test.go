package chimw_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

func TestLongestCookie(t *testing.T) {
	t.Parallel()
	longest := func(m *session.Config, c *chimw.Config) {
		m.Name, c.InsecureCookie, c.Domain = strings.Repeat("n", 64), false, strings.Repeat("a.", 126)+"a"
	}
	t.Run("C6 name and value are at most 4,096 octets", func(t *testing.T) {
		t.Parallel()
		line := cookies(build(t, longest).serve(put("me"), request("POST", "")))[0]
		pair, _, _ := strings.Cut(line, ";")
		if c, err := http.ParseSetCookie(line); err != nil || len(pair)-1 > 4096 || c.Name != "__Secure-"+strings.Repeat("n", 64) {
			t.Errorf("%d octets: %v", len(pair)-1, err)
		}
	})
	t.Run("C6 a longer name is refused at construction", func(t *testing.T) {
		t.Parallel()
		for _, name := range []string{strings.Repeat("n", 65), "a b", "a=b", "a;b", "ä"} {
			_, err := session.NewManager(session.Config{Store: build(t).store, Name: name})
			if err == nil || !strings.Contains(err.Error(), "session.Config.Name") {
				t.Errorf("the name %q gives %v", name, err)
			}
		}
	})
}

func TestTokenEndsWithItsSession(t *testing.T) {
	t.Parallel()
	t.Run("J6 a token is never good for longer than its session", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			h := build(t, func(m *session.Config, _ *chimw.Config) { m.Lifetime, m.IdleTimeout = 10*time.Minute, 10*time.Minute })
			s := h.session("me")
			time.Sleep(9 * time.Minute)
			tok, err := h.mw.IssueToken(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			if left := time.Until(tok.ExpiresAt()); left <= 0 || left > time.Minute {
				t.Errorf("the token says that it has %v, want a minute", left)
			}
			time.Sleep(time.Minute)
			if _, err := h.signer.Verify("session", tok.Reveal()); err == nil {
				t.Error("the token still verifies")
			}
		})
	})
}

func TestFingerprintWithoutIndex(t *testing.T) {
	t.Parallel()
	t.Run("S12 it holds with the index lost", func(t *testing.T) {
		t.Parallel()
		print := "the old password's"
		h := build(t, func(_ *session.Config, c *chimw.Config) {
			c.Fingerprint = func(context.Context, string) (string, error) { return print, nil }
		})
		s := h.manager.New()
		s.SetSubject("alice")
		s.SetFingerprint(print)
		h.store.fail(func(_, key string) bool { return strings.Contains(key, ":subject:") })
		if err := s.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.store.fail(nil)
		if live, err := h.manager.List(t.Context(), "alice"); err != nil || len(live) != 0 {
			t.Fatalf("the index has %v: the test shows nothing; %v", live, err)
		}
		guarded := h.mw.RequireSubject(http.HandlerFunc(who)).ServeHTTP
		wantStatus(t, h.serve(guarded, request("GET", "", cookieOf(s))), 200)
		print = "the new password's"
		cookie := cookieOf(s)
		wantStatus(t, h.serve(guarded, request("GET", "", cookie)), 401)
		print = "the old password's" // dead, not only refused
		wantStatus(t, h.serve(guarded, request("GET", "", cookie)), 401)
	})
}
