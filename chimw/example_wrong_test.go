package chimw_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

// WRONG: a Get followed by a Put. Two requests that run at the same time read
// the same value, and the second to commit overwrites what the first one did:
// nothing tells the session that the one value was made from the other. Update
// says so, and its function runs again on the value that the first one left.
//
// (That function must not use the session, whose lock is held while it runs: it
// would wait for itself for ever.)
func Example_wrongGetThenPut() {
	const wrong, right session.Key[int] = "wrong", "right"
	mw, err := chimw.New(chimw.Config{Manager: newManager()})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	meet := make(chan bool) // so that both requests have read before either commits
	mux.HandleFunc("/count", func(_ http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())

		n, _ := wrong.Get(s)
		select {
		case meet <- true:
		case <-meet:
		}
		wrong.Put(s, n+1)

		right.Update(s, func(n int) int { return n + 1 })
	})
	mux.HandleFunc("/look", func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		a, _ := wrong.Get(s)
		b, _ := right.Get(s)
		fmt.Fprintf(w, "after two requests: %d and %d", a, b)
	})
	mux.HandleFunc("/visit", visit)

	server, browser, _ := serve(mw.Handler(mux))
	defer server.Close()
	post(browser, server.URL+"/visit") // begins the session
	done := make(chan string)
	go func() { done <- post(browser, server.URL+"/count") }()
	post(browser, server.URL+"/count")
	<-done
	fmt.Println(post(browser, server.URL+"/look"))

	// Output:
	// after two requests: 1 and 2
}

// WRONG: a first value, a login or a renewal after the response has begun. They
// all need a cookie, whose header has gone out by then. Nothing is written, the
// session stays what it was, and an event says so. Change the session first, and
// write then.
func Example_wrongPutAfterWrite() {
	manager, err := session.NewManager(session.Config{
		Store: new(memory.Store),
		Observe: func(_ context.Context, e session.Event) {
			fmt.Printf("%s, %s: %v\n", e.Kind, e.Reason, e.Err)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	mw, err := chimw.New(chimw.Config{Manager: manager})
	if err != nil {
		log.Fatal(err)
	}
	h := mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "welcome")
		session.FromContext(r.Context()).SetSubject("alice")
	}))

	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/login", nil))
	fmt.Println(w.Body, w.Result().Cookies())

	// Output:
	// dropped, late change: session: too late for a new credential
	// welcome []
}
