package migrating_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/docs/migrating"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
	"github.com/coatcheck/coatcheck/tokens"
)

func fromGorilla(old sessions.Store, store session.Store, manager *session.Manager, mw *chimw.Middleware, key tokens.Key, until time.Time) (*migrating.Bridge, error) {
	return migrating.New(migrating.Config{
		Manager: manager, Middleware: mw, Store: store, Key: key,
		Old: &migrating.Gorilla{Store: old, Name: "shop"},
		Copy: func(r *http.Request, s *session.Session) error {
			values, err := old.Get(r, "shop")
			if err != nil {
				return err
			}
			user, _ := values.Values["user"].(string)
			s.SetSubject(user)
			if v, ok := values.Values["theme"].(string); ok {
				theme.Put(s, v)
			}
			return nil
		},
		Until: until,
	})
}

// newApplication is what main has in any case.
func newApplication(name string) (session.Store, *session.Manager, *chimw.Middleware) {
	store := new(memory.Store)
	manager, err := session.NewManager(session.Config{Store: store, Name: name})
	if err != nil {
		fmt.Println(err)
	}
	mw, err := chimw.New(chimw.Config{Manager: manager})
	if err != nil {
		fmt.Println(err)
	}
	return store, manager, mw
}

// A browser that signed in to the old application goes on in the new one.
func Example_gorilla() {
	old := sessions.NewCookieStore([]byte("an authentication key for tests."))
	before := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := old.Get(r, "shop")
		s.Values["user"], s.Values["theme"] = "alice", "dark"
		s.Save(r, w)
	})

	store, manager, mw := newApplication("shop")
	bridge, err := fromGorilla(old, store, manager, mw, tokens.GenerateKey(), time.Now().AddDate(0, 0, 30))
	if err != nil {
		fmt.Println(err)
		return
	}
	after := mw.Handler(bridge.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		v, _ := theme.Get(s)
		fmt.Fprint(w, s.Subject(), " likes it ", v)
	})))

	moved := ask(after, "GET", "/", ask(before, "GET", "/", nil).set)
	fmt.Println(moved.text)
	for _, c := range moved.set {
		fmt.Println(c.Name, c.MaxAge)
	}
	// Output:
	// alice likes it dark
	// __Host-shop 0
	// shop -1
}
