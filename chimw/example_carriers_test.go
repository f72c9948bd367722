package chimw_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
	"github.com/coatcheck/coatcheck/tokens"
)

// An API without cookies: a new session's token is sent in the response's
// X-Auth-Token by itself.
func ExampleNew_apiOnly() {
	manager := newManager()
	signer := newSigner()
	mw, err := chimw.New(chimw.Config{Manager: manager, Tokens: signer, NoCookie: true})
	if err != nil {
		log.Fatal(err)
	}

	server, browser, _ := serve(mw.Handler(http.HandlerFunc(visit)))
	defer server.Close()
	res, err := browser.Post(server.URL, "", nil)
	if err != nil {
		log.Fatal(err)
	}
	res.Body.Close()
	token := res.Header.Get("X-Auth-Token")
	fmt.Println("cookies:", len(res.Cookies()))
	fmt.Println("parts of the token:", len(strings.Split(token, ".")))
	fmt.Println(post(browser, server.URL, "X-Auth-Token: "+token))
	fmt.Println(post(browser, server.URL)) // cookies or not, it shows nothing

	// Output:
	// cookies: 0
	// parts of the token: 3
	// visit 2
	// visit 1
}

// A site for browsers alone: no header is looked at, and none is named in the
// response's Vary.
func ExampleNew_browserOnly() {
	manager := newManager()
	mw, err := chimw.New(chimw.Config{Manager: manager, NoHeader: true})
	if err != nil {
		log.Fatal(err)
	}

	server, browser, _ := serve(mw.Handler(http.HandlerFunc(visit)))
	defer server.Close()
	res, err := browser.Post(server.URL, "", nil)
	if err != nil {
		log.Fatal(err)
	}
	res.Body.Close()
	_, attributes, _ := strings.Cut(res.Header.Get("Set-Cookie"), ";")
	fmt.Println(res.Cookies()[0].Name+":", attributes)
	fmt.Println("Vary:", res.Header.Get("Vary"))
	fmt.Println(post(browser, server.URL, "X-Auth-Token: not looked at"))

	// Output:
	// __Host-session:  Path=/; Secure; HttpOnly; SameSite=Lax
	// Vary: Cookie
	// visit 2
}

// Without a signer a token is a credential, as random as a cookie's: nothing can
// be read out of it, and no key has to be kept. It opens only what was stored
// for a token from the start, so that a cookie's session needs one of its own.
func ExampleNew_opaqueTokens() {
	manager := newManager()
	mw, err := chimw.New(chimw.Config{Manager: manager})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/visit", visit)
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		if _, err := mw.IssueToken(r.Context(), session.FromContext(r.Context())); err != nil {
			fmt.Println("for the cookie's session:", err)
		}
		tok, err := mw.IssueToken(r.Context(), manager.New())
		if err != nil {
			mw.Error(w, r, err)
			return
		}
		io.WriteString(w, tok.Reveal())
	})

	server, browser, client := serve(mw.Handler(mux))
	defer server.Close()
	fmt.Println("browser:", post(browser, server.URL+"/visit"))
	token := post(browser, server.URL+"/token")
	fmt.Println("length of the token:", len(token))
	fmt.Println("client:", post(client, server.URL+"/visit", "X-Auth-Token: "+token))

	// Output:
	// browser: visit 1
	// for the cookie's session: chimw: the session is carried by a cookie, whose credential is no token
	// length of the token: 64
	// client: visit 1
}

// Clients that have their tokens from somebody else, API keys here, have a
// session each from their first request on. A guard lets in nobody but them.
func ExampleNew_externalTokens() {
	manager := newManager()
	keys, err := tokens.APIKeys(map[string]string{"key-of-alice": "alice", "another-key-of-alice": "alice", "key-of-bob": "bob"})
	if err != nil {
		log.Fatal(err)
	}
	external, err := tokens.NewExternal(tokens.ExternalConfig{Key: tokens.GenerateKey(), Verify: keys})
	if err != nil {
		log.Fatal(err)
	}
	mw, err := chimw.New(chimw.Config{Manager: manager, External: external, NoCookie: true})
	if err != nil {
		log.Fatal(err)
	}

	server, _, client := serve(mw.Handler(mw.RequireToken(http.HandlerFunc(visit))))
	defer server.Close()
	for _, key := range []string{"key-of-alice", "key-of-bob", "another-key-of-alice", "key-of-mallory"} {
		fmt.Println(key+":", post(client, server.URL, "Authorization: Bearer "+key))
	}
	fmt.Println("no key:", post(client, server.URL))

	// Output:
	// key-of-alice: visit 1
	// key-of-bob: visit 1
	// another-key-of-alice: visit 2
	// key-of-mallory: 401 Unauthorized
	// no key: 401 Unauthorized
}

// What the application knows about other origins is said once, by an instance
// of its own of net/http's protection: here that the pages of app.example may
// send requests that change something.
func ExampleNew_trustedOrigins() {
	manager := newManager()
	protection := http.NewCrossOriginProtection()
	if err := protection.AddTrustedOrigin("https://app.example"); err != nil {
		log.Fatal(err)
	}
	mw, err := chimw.New(chimw.Config{
		Manager:     manager,
		CrossOrigin: protection,
		SameSite:    http.SameSiteNoneMode, // or the browser wouldn't send the cookie from there
		Partitioned: true,
	})
	if err != nil {
		log.Fatal(err)
	}

	server, browser, _ := serve(mw.Handler(http.HandlerFunc(visit)))
	defer server.Close()
	fmt.Println("same origin:", post(browser, server.URL, "Sec-Fetch-Site: same-origin"))
	fmt.Println("trusted:", post(browser, server.URL, "Origin: https://app.example", "Sec-Fetch-Site: cross-site"))
	fmt.Println("another:", post(browser, server.URL, "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"))

	// Output:
	// same origin: visit 1
	// trusted: visit 2
	// another: 403 Forbidden
}

// Two managers share a store and keep their sessions apart: the name is in the
// cookie, in the store's keys and in the tokens. The header has to be told apart
// by the configuration: a middleware refuses a token that it doesn't know, so the
// outer one would refuse the inner one's if both looked into the same headers.
func ExampleNew_mountedTwice() {
	signer, store := newSigner(), new(memory.Store)
	shopManager, err := session.NewManager(session.Config{Store: store, Name: "shop"})
	if err != nil {
		log.Fatal(err)
	}
	adminManager, err := session.NewManager(session.Config{Store: store, Name: "admin"})
	if err != nil {
		log.Fatal(err)
	}
	shop, err := chimw.New(chimw.Config{Manager: shopManager, Tokens: signer})
	if err != nil {
		log.Fatal(err)
	}
	admin, err := chimw.New(chimw.Config{Manager: adminManager, Tokens: signer, Header: "X-Admin-Token", NoBearer: true})
	if err != nil {
		log.Fatal(err)
	}
	r := chi.NewRouter()
	r.Use(shop.Handler)
	r.Post("/visit", visit)
	r.Route("/admin", func(r chi.Router) {
		r.Use(admin.Handler)
		r.Post("/visit", func(w http.ResponseWriter, r *http.Request) {
			visit(w, r) // session.FromContext is the innermost: the admin's
			n, _ := visits.Get(shopManager.FromContext(r.Context()))
			fmt.Fprintf(w, ", after %d in the shop", n)
		})
	})

	server, browser, client := serve(r)
	defer server.Close()
	fmt.Println("shop:", post(browser, server.URL+"/visit"))
	fmt.Println("shop:", post(browser, server.URL+"/visit"))
	fmt.Println("admin:", post(browser, server.URL+"/admin/visit"))
	token, err := admin.IssueToken(context.Background(), adminManager.New())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("admin:", post(client, server.URL+"/admin/visit", "X-Admin-Token: "+token.Reveal()))
	fmt.Println("the wrong header:", post(client, server.URL+"/admin/visit", "X-Auth-Token: "+token.Reveal()))

	// Output:
	// shop: visit 1
	// shop: visit 2
	// admin: visit 1, after 2 in the shop
	// admin: visit 1, after 0 in the shop
	// the wrong header: 401 Unauthorized
}
