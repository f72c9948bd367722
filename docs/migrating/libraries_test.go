package migrating_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/gorilla/sessions"

	"github.com/coatcheck/coatcheck/docs/migrating"
	"github.com/coatcheck/coatcheck/session"
)

// library is an application before the switch: /login, / and /logout.
type library struct {
	name   string
	app    http.Handler
	source migrating.Source
	copy   func(*http.Request, *session.Session) error
	cookie string
}

// login signs alice in, and returns what her browser got.
func (l library) login() []*http.Cookie { return ask(l.app, "POST", "/login", nil).set }

// libraries are all that the bridge is tested with.
func libraries(t *testing.T) []library {
	t.Helper()
	return []library{
		ofSCS(newSCS()),
		ofGorilla("CookieStore", newCookieStore()),
		ofGorilla("FilesystemStore", newFilesystemStore(t)),
	}
}

// each runs a test for each library.
func each(t *testing.T, test func(*testing.T, library)) {
	t.Helper()
	for _, l := range libraries(t) {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			test(t, l)
		})
	}
}

func newSCS() *scs.SessionManager {
	sm := scs.New()
	sm.Store = memstore.NewWithCleanupInterval(0)
	sm.IdleTimeout = time.Hour
	sm.Cookie.Secure = true
	return sm
}

func ofSCS(sm *scs.SessionManager) library {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) {
		sm.RenewToken(r.Context())
		sm.Put(r.Context(), "user", "alice")
		sm.Put(r.Context(), "cart", "coat scarf")
	})
	mux.HandleFunc("POST /logout", func(_ http.ResponseWriter, r *http.Request) { sm.Destroy(r.Context()) })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, describe(sm.GetString(r.Context(), "user"), []string{sm.GetString(r.Context(), "cart")}))
	})
	carry := func(r *http.Request, s *session.Session) error {
		return keep(s, sm.GetString(r.Context(), "user"), sm.GetString(r.Context(), "cart"))
	}
	return library{"scs", sm.LoadAndSave(mux), &migrating.SCS{Manager: sm}, carry, "session"}
}

// keep is what both applications' Copy does with what it read.
func keep(s *session.Session, user, items string) error {
	if user == "" {
		return nil
	}
	s.SetSubject(user)
	cart.Put(s, []string{items})
	return nil
}

func newCookieStore() sessions.Store {
	return sessions.NewCookieStore([]byte("an authentication key for tests."), []byte("an encryption key for tests, too"))
}

func newFilesystemStore(t *testing.T) sessions.Store {
	t.Helper()
	s := sessions.NewFilesystemStore(t.TempDir(), []byte("an authentication key for tests."))
	s.Options.Secure = true
	return s
}

func ofGorilla(name string, store sessions.Store) library {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.Get(r, "shop")
		s.Values["user"], s.Values["cart"] = "alice", "coat scarf"
		if err := s.Save(r, w); err != nil {
			http.Error(w, err.Error(), 500)
		}
	})
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.Get(r, "shop")
		s.Options.MaxAge = -1
		s.Save(r, w)
	})
	read := func(r *http.Request) (user, items string) {
		s, _ := store.Get(r, "shop")
		user, _ = s.Values["user"].(string)
		items, _ = s.Values["cart"].(string)
		return user, items
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		user, items := read(r)
		io.WriteString(w, describe(user, []string{items}))
	})
	carry := func(r *http.Request, s *session.Session) error {
		user, items := read(r)
		return keep(s, user, items)
	}
	return library{name, mux, &migrating.Gorilla{Store: store, Name: "shop"}, carry, "shop"}
}
