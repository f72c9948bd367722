package upgrades_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	coder "github.com/coder/websocket"
	"github.com/go-chi/chi/v5"
	gorilla "github.com/gorilla/websocket"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

const clicks session.Key[int] = "clicks"

// A long connection commits what it changes by itself, and learns from
// ErrGone that the session has ended meanwhile. The libraries' own checks of
// the origin are left as they are: they do no harm.
func Example_coder() {
	play(func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		clicks.Put(s, 0) // before the upgrade: a first visitor's cookie goes out with its response
		c, err := coder.Accept(w, r, nil)
		if err != nil {
			return // Accept has answered, or the middleware in its place
		}
		defer c.CloseNow()
		for {
			// Not the request's context, which a timeout meant for pages may end.
			if _, _, err := c.Read(context.Background()); err != nil {
				return
			}
			clicks.Update(s, func(n int) int { return n + 1 })
			if err := s.Commit(r.Context()); errors.Is(err, session.ErrGone) {
				c.Close(coder.StatusPolicyViolation, "signed out")
				return
			}
		}
	})
	// Output:
	// 2 clicks
	// signed out
}

// Gorilla's Upgrade sends no header but its third argument's. Hand it
// w.Header() itself: the middleware puts the session's cookie in there while
// Upgrade takes over the connection. With nil, or a header of your own, a
// session that begins or is renewed in the handshake is lost.
func Example_gorilla() {
	play(func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		clicks.Put(s, 0)
		c, err := new(gorilla.Upgrader).Upgrade(w, r, w.Header())
		if err != nil {
			return
		}
		defer c.Close()
		for {
			if _, _, err := c.ReadMessage(); err != nil {
				return
			}
			clicks.Update(s, func(n int) int { return n + 1 })
			if err := s.Commit(r.Context()); errors.Is(err, session.ErrGone) {
				c.WriteMessage(gorilla.CloseMessage, gorilla.FormatCloseMessage(gorilla.ClosePolicyViolation, "signed out"))
				return
			}
		}
	})
	// Output:
	// 2 clicks
	// signed out
}

// play is a browser that clicks twice, signs out in another tab, and clicks again.
func play(socket http.HandlerFunc) {
	m, err := session.NewManager(session.Config{Store: new(memory.Store)})
	if err != nil {
		panic(err)
	}
	mw, err := chimw.New(chimw.Config{Manager: m})
	if err != nil {
		panic(err)
	}
	r := chi.NewRouter()
	r.Use(mw.Handler)
	r.Get("/socket", socket)
	r.Get("/clicks", func(w http.ResponseWriter, r *http.Request) {
		n, _ := clicks.Get(session.FromContext(r.Context()))
		fmt.Fprint(w, n)
	})
	r.Post("/logout", func(_ http.ResponseWriter, r *http.Request) {
		session.FromContext(r.Context()).Destroy()
	})
	server := httptest.NewTLSServer(r)
	defer server.Close()
	browser := server.Client()
	browser.Jar, _ = cookiejar.New(nil)

	ctx := context.Background()
	c, _, err := coder.Dial(ctx, server.URL+"/socket", &coder.DialOptions{HTTPClient: browser})
	if err != nil {
		panic(err)
	}
	defer c.CloseNow()
	click := func() { c.Write(ctx, coder.MessageText, []byte("click")) }
	click()
	click()
	for n := ""; n != "2"; { // until both have arrived
		n = fetch(browser, server.URL+"/clicks")
	}
	fmt.Println("2 clicks")
	res, err := browser.Post(server.URL+"/logout", "", nil)
	if err != nil {
		panic(err)
	}
	res.Body.Close()
	click()
	_, _, err = c.Read(ctx)
	var closed coder.CloseError
	errors.As(err, &closed)
	fmt.Println(closed.Reason)
}

func fetch(c *http.Client, url string) (text string) {
	res, err := c.Get(url)
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	fmt.Fscan(res.Body, &text)
	return text
}
