package interop_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

var owner session.Key[string] = "owner"

// TestRefresh lives through what docs/tokens.md says of a token's life, with the
// middleware that it sets up: half of its 15 minutes nothing happens, then a
// fresh one comes with every answer, and the old one works on until it expires.
func TestRefresh(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(keyList("\n", newer, older)), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		manager, err := session.NewManager(session.Config{
			Store:   new(memory.Store),
			Observe: func(context.Context, session.Event) {},
		})
		if err != nil {
			t.Fatal(err)
		}
		mw, err := newMiddleware(manager, path)
		if err != nil {
			t.Fatal(err)
		}
		token := issue(t, mw)
		show := func(token string) (status int, fresh string) {
			r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			mw.Handler(http.HandlerFunc(greet)).ServeHTTP(w, r)
			if w.Code == http.StatusOK && w.Body.String() != "client" {
				t.Errorf("the session is %q's", w.Body)
			}
			return w.Code, w.Header().Get("X-Auth-Token")
		}

		time.Sleep(7*time.Minute + 29*time.Second)
		if status, fresh := show(token); status != http.StatusOK || fresh != "" {
			t.Errorf("in its first half: %d, %q", status, fresh)
		}
		time.Sleep(time.Second)
		status, fresh := show(token)
		if status != http.StatusOK || fresh == "" {
			t.Errorf("at half its life: %d, %q", status, fresh)
		}
		time.Sleep(7*time.Minute + 29*time.Second)
		if status, _ := show(token); status != http.StatusOK {
			t.Errorf("in its last second: %d", status)
		}
		time.Sleep(time.Second)
		if status, again := show(token); status != http.StatusUnauthorized || again != "" {
			t.Errorf("expired: %d, %q", status, again)
		}
		if status, _ := show(fresh); status != http.StatusOK {
			t.Errorf("the fresh one: %d", status)
		}
	})
}

// issue returns a token for a new session.
func issue(t *testing.T, mw *chimw.Middleware) (token string) {
	t.Helper()
	mw.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		owner.Put(s, "client")
		issued, err := mw.IssueToken(r.Context(), s)
		if err != nil {
			t.Error(err)
		}
		token = issued.Reveal()
	})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/token", http.NoBody))
	return token
}

func greet(w http.ResponseWriter, r *http.Request) {
	name, _ := owner.Get(session.FromContext(r.Context()))
	fmt.Fprint(w, name)
}
