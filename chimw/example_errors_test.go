package chimw_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

// A token for the session of whoever asks: the program that is given it works
// on the very session that the browser has. What can go wrong is Error's to tell.
func ExampleMiddleware_IssueToken() {
	mw, err := chimw.New(chimw.Config{Manager: newManager(), Tokens: newSigner()})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/visit", visit)
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		token, err := mw.IssueToken(r.Context(), s)
		if err != nil {
			mw.Error(w, r, err)
			return
		}
		fmt.Println("good for", time.Until(token.ExpiresAt()).Round(time.Minute), "as", token)
		io.WriteString(w, token.Reveal())
	})

	server, browser, client := serve(mw.Handler(mux))
	defer server.Close()
	fmt.Println("browser:", post(browser, server.URL+"/visit"))
	token := post(browser, server.URL+"/token")
	fmt.Println("client:", post(client, server.URL+"/visit", "X-Auth-Token: "+token))
	fmt.Println("browser:", post(browser, server.URL+"/visit"))

	// Output:
	// browser: visit 1
	// good for 12h0m0s as chimw.Token[redacted]
	// client: visit 2
	// browser: visit 3
}

// A handler passes on what it can't mend. Each error of the library has its
// status; a Problem is its own.
func ExampleMiddleware_Error() {
	mw, err := chimw.New(chimw.Config{Manager: newManager()})
	if err != nil {
		log.Fatal(err)
	}
	for _, err := range []error{
		fmt.Errorf("signing out elsewhere: %w", session.ErrUnavailable),
		session.ErrGone,
		&chimw.Problem{Status: http.StatusTooManyRequests, Detail: "Try again in an hour."},
	} {
		h := mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { mw.Error(w, r, err) }))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		fmt.Print(w.Body)
	}

	// Output:
	// {"status":503,"title":"Service Unavailable","detail":"Sessions are not available at the moment."}
	// {"status":409,"title":"Conflict","detail":"The session ended, or was renewed, while the request was being served."}
	// {"status":429,"title":"Too Many Requests","detail":"Try again in an hour."}
}

// Pages for browsers, problem documents for everybody else. Status and headers
// such as WWW-Authenticate and Retry-After are as the problem demands already.
func ExampleWriteProblem() {
	mw, err := chimw.New(chimw.Config{
		Manager: newManager(),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, p *chimw.Problem) {
			if r.Header.Get("Accept") != "text/html" {
				chimw.WriteProblem(w, r, p)
				return
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(p.Status)
			fmt.Fprintf(w, "<h1>%s</h1>\n", p.Title)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	h := mw.Handler(mw.RequireSession(http.HandlerFunc(visit)))
	for _, accept := range []string{"text/html", "application/json"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Print(w.Header().Get("WWW-Authenticate"), " ", w.Body)
	}

	// Output:
	// Bearer realm="session" <h1>Unauthorized</h1>
	// Bearer realm="session" {"status":401,"title":"Unauthorized","detail":"A session is required."}
}

// A page for when the store can't be asked, with a way out: whoever wants to
// sign in again at once gives up the cookie, and begins a session elsewhere.
func ExampleMiddleware_Forget() {
	mw, err := chimw.New(chimw.Config{Manager: newManager()})
	if err != nil {
		log.Fatal(err)
	}
	again := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // outside of mw.Handler, which would ask the store
		mw.Forget(w)
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	})

	w := httptest.NewRecorder()
	again.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/again", nil))
	fmt.Println(w.Header().Get("Set-Cookie"))

	// Output: __Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0
}

// The cause is for logs alone.
func ExampleProblem() {
	p := &chimw.Problem{Status: http.StatusForbidden, Title: "Forbidden", Err: errors.New("account 17 is blocked")}
	fmt.Println(p)
	document, err := json.Marshal(p)
	fmt.Println(string(document), err)

	// Output:
	// chimw: Forbidden: account 17 is blocked
	// {"status":403,"title":"Forbidden"} <nil>
}
