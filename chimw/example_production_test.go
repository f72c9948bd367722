package chimw_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/tokens"
)

// setUp reports all mistakes at once. The keys that sign tokens also give those
// that seal what memcached holds.
func setUp(getenv func(string) string) (*chimw.Middleware, error) {
	store, err1 := memcached.New(memcached.Config{Nodes: strings.Split(getenv("MEMCACHED"), ",")})
	keys, err2 := tokens.ParseKeys(getenv("KEYS"))
	var seal []session.SealKey
	for _, key := range keys {
		k, err := session.NewSealKey(key.Derive("seal sessions"))
		err2, seal = errors.Join(err2, err), append(seal, k)
	}
	manager, err3 := session.NewManager(session.Config{Store: store, SealKeys: seal})
	signer, err4 := tokens.NewSigner(tokens.Config{Issuer: "https://shop.example", Keys: keys})
	mw, err5 := chimw.New(chimw.Config{Manager: manager, Tokens: signer})
	return mw, errors.Join(err1, err2, err3, err4, err5)
}

func routes(mw *chimw.Middleware, signedIn func(*http.Request) (user string, ok bool)) http.Handler {
	r := chi.NewRouter()
	r.Use(mw.Handler)
	r.Post("/login", func(w http.ResponseWriter, r *http.Request) {
		user, ok := signedIn(r) // checks the password: yours
		if !ok {
			http.Error(w, "no such user, or another password", http.StatusForbidden)
			return
		}
		s := session.FromContext(r.Context())
		s.SetSubject(user)                    // gives the session a new ID, and the browser its cookie
		if r.FormValue("client") != "token" { // a program has no cookies: it wants a token
			return
		}
		token, err := mw.IssueToken(r.Context(), s)
		if err != nil {
			mw.Error(w, r, err)
			return
		}
		fmt.Fprint(w, token.Reveal())
	})
	r.With(mw.RequireSubject).Post("/account", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "account of ", session.FromContext(r.Context()).Subject())
	})
	r.Post("/logout", func(w http.ResponseWriter, r *http.Request) {
		session.FromContext(r.Context()).Destroy() // for its cookie and its tokens
	})
	return r
}

// A whole service: keys and nodes from outside, login for browsers and for
// programs, a guard, logout. This example shows what mistakes look like; the rest
// of it has its sessions in memory.
func Example_production() {
	_, err := setUp(func(name string) string {
		return map[string]string{"MEMCACHED": "a=10.0.0.1:11211,b=10.0.0.2", "KEYS": "2026-a:dG9vIHNob3J0"}[name]
	})
	fmt.Println(err)

	mw, err := chimw.New(chimw.Config{Manager: newManager(), Tokens: newSigner()})
	if err != nil {
		fmt.Println(err)
		return
	}
	server, browser, program := serve(routes(mw, func(r *http.Request) (string, bool) {
		return r.FormValue("user"), r.FormValue("password") == "right"
	}))
	defer server.Close()
	fmt.Println(post(browser, server.URL+"/account"))
	fmt.Println(submit(browser, server.URL+"/login", "user=alice&password=wrong"))
	submit(browser, server.URL+"/login", "user=alice&password=right")
	fmt.Println(post(browser, server.URL+"/account"))
	token := submit(program, server.URL+"/login", "user=bob&password=right&client=token")
	fmt.Println(post(program, server.URL+"/account", "X-Auth-Token: "+token))
	post(program, server.URL+"/logout", "X-Auth-Token: "+token)
	fmt.Println(post(program, server.URL+"/account", "X-Auth-Token: "+token))

	// Output:
	// memcached.Config.Nodes[1] = "b=10.0.0.2": must be host:port, [ipv6]:port or unix:/path
	// tokens.ParseKeys: key 1: the secret has 9 bytes, and needs at least 32
	// tokens.Config.Keys: at least one key is required
	// 401 Unauthorized
	// 403 Forbidden
	// account of alice
	// account of bob
	// 401 Unauthorized
}
