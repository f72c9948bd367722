package chimw_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

// A login names the session's subject, which renews the session by itself: what
// the client showed before is dead. The fingerprint ties the session to the
// password that it was begun with, so that a new password ends all the others,
// wherever they are.
func Example_login() {
	manager := newManager()
	passwords := map[string]string{"alice": "secret"} // in real life: hashes, in a database, compared by their library
	fingerprint := func(_ context.Context, subject string) (string, error) { return passwords[subject], nil }
	mw, err := chimw.New(chimw.Config{Manager: manager, Fingerprint: fingerprint})
	if err != nil {
		log.Fatal(err)
	}

	r := chi.NewRouter()
	r.Use(mw.Handler)
	r.Post("/login", func(w http.ResponseWriter, r *http.Request) {
		user := r.PostFormValue("user")
		if user == "" || passwords[user] != r.PostFormValue("password") {
			http.Error(w, "no such user, or not his password", http.StatusForbidden)
			return
		}
		s := session.FromContext(r.Context())
		s.SetSubject(user)
		s.SetFingerprint(passwords[user]) // after SetSubject, which drops it
	})
	r.Group(func(r chi.Router) {
		r.Use(mw.RequireSubject)
		r.Post("/account", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "hello "+session.FromContext(r.Context()).Subject())
		})
		r.Post("/password", func(_ http.ResponseWriter, r *http.Request) {
			s := session.FromContext(r.Context())
			passwords[s.Subject()] = r.PostFormValue("password")
			s.SetFingerprint(passwords[s.Subject()]) // this session goes on
			s.Renew()
		})
	})
	r.Post("/logout", func(_ http.ResponseWriter, r *http.Request) {
		session.FromContext(r.Context()).Destroy()
	})

	server, here, _ := serve(r)
	defer server.Close()
	elsewhere := another(here)
	fmt.Println("a stranger:", post(here, server.URL+"/account"))
	fmt.Println("a guess:", submit(here, server.URL+"/login", "user=alice&password=guess"))
	submit(elsewhere, server.URL+"/login", "user=alice&password=secret")
	submit(here, server.URL+"/login", "user=alice&password=secret")
	fmt.Println("here:", post(here, server.URL+"/account"))
	fmt.Println("elsewhere:", post(elsewhere, server.URL+"/account"))
	submit(here, server.URL+"/password", "password=new")
	fmt.Println("here:", post(here, server.URL+"/account"))
	fmt.Println("elsewhere:", post(elsewhere, server.URL+"/account"))
	post(here, server.URL+"/logout")
	fmt.Println("here:", post(here, server.URL+"/account"))

	// Output:
	// a stranger: 401 Unauthorized
	// a guess: 403 Forbidden
	// here: hello alice
	// elsewhere: hello alice
	// here: hello alice
	// elsewhere: 401 Unauthorized
	// here: 401 Unauthorized
}
