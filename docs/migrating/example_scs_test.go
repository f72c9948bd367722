package migrating_test

import (
	"context"
	"encoding/gob"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/docs/migrating"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/tokens"
)

const theme session.Key[string] = "theme"

// passwordChanged asks the application's database.
func passwordChanged(_ context.Context, user string) (time.Time, error) {
	if user == "bob" {
		return time.Now(), nil
	}
	return time.Time{}, nil
}

func fromSCS(old *scs.SessionManager, store session.Store, manager *session.Manager, mw *chimw.Middleware, key tokens.Key, until time.Time) (*migrating.Bridge, error) {
	return migrating.New(migrating.Config{
		Manager: manager, Middleware: mw, Store: store, Key: key,
		Old: &migrating.SCS{Manager: old},
		Copy: func(r *http.Request, s *session.Session) error {
			user := old.GetString(r.Context(), "userID")
			changed, err := passwordChanged(r.Context(), user)
			if err != nil || user == "" || old.GetTime(r.Context(), "signedIn").Before(changed) {
				return err // nobody, or signed out everywhere since: nothing to keep
			}
			s.SetSubject(user)
			s.ExpireAt(old.Deadline(r.Context())) // not later for having been moved
			theme.Put(s, old.GetString(r.Context(), "theme"))
			return nil
		},
		Until: until,
	})
}

// A browser that signed in to the old application goes on in the new one.
func Example_scs() {
	gob.Register(time.Time{}) // for scs
	old := scs.New()
	before := old.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		old.Put(r.Context(), "userID", "alice")
		old.Put(r.Context(), "signedIn", time.Now())
		old.Put(r.Context(), "theme", "dark")
		old.SetDeadline(r.Context(), time.Now().Add(time.Hour))
	}))

	store, manager, mw := newApplication("shop")
	bridge, err := fromSCS(old, store, manager, mw, tokens.GenerateKey(), time.Now().AddDate(0, 0, 30))
	if err != nil {
		fmt.Println(err)
		return
	}
	after := mw.Handler(bridge.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		v, _ := theme.Get(s)
		fmt.Fprint(w, s.Subject(), " likes it ", v, ", for ", time.Until(s.Deadline()).Round(time.Minute))
	})))

	moved := ask(after, "GET", "/", ask(before, "GET", "/", nil).set)
	fmt.Println(moved.text)
	for _, c := range moved.set {
		fmt.Println(c.Name, c.MaxAge)
	}
	// Output:
	// alice likes it dark, for 1h0m0s
	// __Host-shop 0
	// session -1
}

// TestPasswordChanged: RevokeAll knows nothing of sessions that were not moved
// yet; Copy leaves them behind.
func TestPasswordChanged(t *testing.T) {
	t.Parallel()
	gob.Register(time.Time{})
	old := newSCS()
	store, manager, mw := newApplication("shop")
	bridge, err := fromSCS(old, store, manager, mw, tokens.GenerateKey(), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	after := mw.Handler(bridge.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "it is ", session.FromContext(r.Context()).Subject())
	})))
	for user, who := range map[string]string{"alice": "it is alice", "bob": "it is "} {
		before := old.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			old.Put(r.Context(), "userID", user)
			old.Put(r.Context(), "signedIn", time.Now())
		}))
		if got := ask(after, "GET", "/", ask(before, "GET", "/", nil).set); got.text != who {
			t.Errorf("%q, want %q", got.text, who)
		}
	}
}
