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

// With a router of net/http's own the middleware goes around all of it, or
// around the part that needs sessions.
func ExampleMiddleware_Handler() {
	mw, err := chimw.New(chimw.Config{Manager: newManager()})
	if err != nil {
		log.Fatal(err)
	}
	app := http.NewServeMux()
	app.HandleFunc("POST /visit", visit)
	mux := http.NewServeMux()
	mux.Handle("/", mw.Handler(app))
	mux.HandleFunc("POST /ping", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "pong") })

	server, browser, _ := serve(mux)
	defer server.Close()
	fmt.Println(post(browser, server.URL+"/visit"))
	fmt.Println(post(browser, server.URL+"/visit"))
	fmt.Println(post(browser, server.URL+"/ping")) // never asks the store

	// Output:
	// visit 1
	// visit 2
	// pong
}

// A guard stands inside of Handler, before the routes that it is for.
func ExampleMiddleware_RequireSession() {
	manager, signer := newManager(), newSigner()
	account := func(w http.ResponseWriter, r *http.Request) {
		n, _ := visits.Get(session.FromContext(r.Context()))
		fmt.Fprintf(w, "%d visits so far", n)
	}

	mw, err := chimw.New(chimw.Config{Manager: manager, Tokens: signer})
	if err != nil {
		log.Fatal(err)
	}
	r := chi.NewRouter()
	r.Use(mw.Handler)
	r.Post("/visit", visit)
	r.With(mw.RequireSession).Post("/account", account)

	server, browser, _ := serve(r)
	defer server.Close()
	fmt.Println(post(browser, server.URL+"/account"))
	post(browser, server.URL+"/visit")
	fmt.Println(post(browser, server.URL+"/account"))

	// Output:
	// 401 Unauthorized
	// 1 visits so far
}

// A rule of the application's own: 401 for whoever has no session, 403 for
// whoever has one that it doesn't let in.
func ExampleMiddleware_Require() {
	const role session.Key[string] = "role"
	mw, err := chimw.New(chimw.Config{Manager: newManager()})
	if err != nil {
		log.Fatal(err)
	}
	isAdmin := func(_ *http.Request, s *session.Session) bool {
		v, _ := role.Get(s)
		return v == "admin"
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/become/{role}", func(_ http.ResponseWriter, r *http.Request) { // real ones ask who may
		s := session.FromContext(r.Context())
		role.Put(s, r.PathValue("role"))
		s.Renew() // what the session may do has changed
	})
	mux.Handle("/admin", mw.Require(isAdmin)(http.HandlerFunc(visit)))

	server, browser, _ := serve(mw.Handler(mux))
	defer server.Close()
	fmt.Println("nobody:", post(browser, server.URL+"/admin"))
	post(browser, server.URL+"/become/guest")
	fmt.Println("a guest:", post(browser, server.URL+"/admin"))
	post(browser, server.URL+"/become/admin")
	fmt.Println("an admin:", post(browser, server.URL+"/admin"))

	// Output:
	// nobody: 401 Unauthorized
	// a guest: 403 Forbidden
	// an admin: visit 1
}

// RequireSubject is for routes that need somebody who has signed in, however
// little else is known of him.
func ExampleMiddleware_RequireSubject() {
	mw, err := chimw.New(chimw.Config{Manager: newManager()})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/visit", visit)
	mux.HandleFunc("/login", func(_ http.ResponseWriter, r *http.Request) {
		session.FromContext(r.Context()).SetSubject("alice") // once her password was checked
	})
	mux.Handle("/orders", mw.RequireSubject(http.HandlerFunc(visit)))

	server, browser, _ := serve(mw.Handler(mux))
	defer server.Close()
	post(browser, server.URL+"/visit") // a session, but nobody's
	fmt.Println(post(browser, server.URL+"/orders"))
	post(browser, server.URL+"/login")
	fmt.Println(post(browser, server.URL+"/orders"))

	// Output:
	// 401 Unauthorized
	// visit 2
}

// What a browser must never be made to do can be kept for programs. A handler
// for both can ask who it is.
func ExampleMiddleware_RequireToken() {
	manager := newManager()
	mw, err := chimw.New(chimw.Config{Manager: manager, Tokens: newSigner()})
	if err != nil {
		log.Fatal(err)
	}
	who := func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		visits.Update(s, func(n int) int { return n + 1 })
		if mw.Carrier(r.Context()) == chimw.Header {
			io.WriteString(w, "a program")
			return
		}
		io.WriteString(w, "a browser")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/who", who)
	mux.Handle("/bulk", mw.RequireToken(http.HandlerFunc(who)))

	server, browser, client := serve(mw.Handler(mux))
	defer server.Close()
	token, err := mw.IssueToken(context.Background(), manager.New())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(post(browser, server.URL+"/who"))
	fmt.Println(post(client, server.URL+"/who", "X-Auth-Token: "+token.Reveal()))
	fmt.Println(post(client, server.URL+"/bulk", "X-Auth-Token: "+token.Reveal()))
	fmt.Println(post(browser, server.URL+"/bulk"))

	// Output:
	// a browser
	// a program
	// a program
	// 401 Unauthorized
}
