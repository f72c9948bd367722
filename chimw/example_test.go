package chimw_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
	"github.com/coatcheck/coatcheck/tokens"
)

const visits session.Key[int] = "visits"

// visit counts its client's visits. It neither knows nor cares whether that is
// a browser or an API client.
func visit(w http.ResponseWriter, r *http.Request) {
	s := session.FromContext(r.Context())
	n := visits.Update(s, func(n int) int { return n + 1 })
	fmt.Fprintf(w, "visit %d", n)
}

// Browsers by cookie, API clients by a signed token in a header, on the same
// routes.
func Example() {
	manager, err := session.NewManager(session.Config{Store: new(memory.Store)}) // in production: memcached.New
	if err != nil {
		log.Fatal(err)
	}
	signer, err := tokens.NewSigner(tokens.Config{
		Issuer: "https://shop.example",
		Keys:   []tokens.Key{tokens.GenerateKey()}, // in production: tokens.LoadKeys
	})
	if err != nil {
		log.Fatal(err)
	}
	mw, err := chimw.New(chimw.Config{Manager: manager, Tokens: signer})
	if err != nil {
		log.Fatal(err)
	}

	r := chi.NewRouter()
	r.Use(mw.Handler)
	r.Post("/visit", visit)
	r.Post("/token", func(w http.ResponseWriter, r *http.Request) {
		tok, err := mw.IssueToken(r.Context(), manager.New()) // for a session of its own
		if err != nil {
			mw.Error(w, r, err)
			return
		}
		io.WriteString(w, tok.Reveal())
	})

	server, browser, client := serve(r)
	defer server.Close()
	fmt.Println("browser:", post(browser, server.URL+"/visit"))
	fmt.Println("browser:", post(browser, server.URL+"/visit"))
	token := post(client, server.URL+"/token")
	fmt.Println("client:", post(client, server.URL+"/visit", "X-Auth-Token: "+token))
	fmt.Println("client:", post(client, server.URL+"/visit", "Authorization: Bearer "+token))
	fmt.Println("client with a token of its own making:", post(client, server.URL+"/visit", "X-Auth-Token: me"))

	// Output:
	// browser: visit 1
	// browser: visit 2
	// client: visit 1
	// client: visit 2
	// client with a token of its own making: 401 Unauthorized
}

// newManager is a manager for an example that is about something else.
func newManager() *session.Manager {
	m, err := session.NewManager(session.Config{Store: new(memory.Store), Observe: unseen})
	if err != nil {
		log.Fatal(err)
	}
	return m
}

func unseen(context.Context, session.Event) {} // in place of a log

func newSigner() *tokens.Signer {
	s, err := tokens.NewSigner(tokens.Config{Issuer: "https://shop.example", Keys: []tokens.Key{tokens.GenerateKey()}})
	if err != nil {
		log.Fatal(err)
	}
	return s
}

// serve starts a server for an example, with a browser that keeps cookies and a
// client that doesn't.
func serve(h http.Handler) (server *httptest.Server, browser, client *http.Client) {
	server = httptest.NewTLSServer(h)
	return server, another(server.Client()), server.Client()
}

// another is a browser without any cookies yet.
func another(browser *http.Client) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	return &http.Client{Transport: browser.Transport, Jar: jar}
}

// post returns what a request is answered with: the body, or the status if that
// isn't 200. Headers are lines "Name: value".
func post(c *http.Client, url string, headers ...string) string {
	return submit(c, url, "", headers...)
}

// submit posts a form.
func submit(c *http.Client, url, form string, headers ...string) string {
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(form))
	if err != nil {
		log.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	res, err := c.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		log.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		return res.Status
	}
	return string(b)
}
