package session_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

// A session's way without HTTP: one request begins it, the next one finds it by
// the credential that the first one was given. Package chimw does all but the
// second and third line of each for a handler.
func Example() {
	m, err := session.NewManager(session.Config{Store: new(memory.Store)}) // in production: memcached.New
	if err != nil {
		log.Fatal(err)
	}
	const visits session.Key[int] = "visits"
	ctx := context.Background()

	s := m.New()
	visits.Put(s, 1)
	if err := s.Commit(ctx); err != nil {
		log.Fatal(err)
	}
	c := s.Credential() // to the client, and back

	s, err = m.Load(ctx, c)
	if err != nil {
		log.Fatal(err)
	}
	n, ok := visits.Get(s)
	fmt.Println(n, ok)

	// Output: 1 true
}

type Item struct {
	Name  string
	Count int
}

const cart session.Key[[]Item] = "cart"

func add(w http.ResponseWriter, r *http.Request) {
	s := session.FromContext(r.Context())
	item := Item{r.FormValue("item"), 1}
	cart.Update(s, func(items []Item) []Item { return append(items, item) })
}

// A handler takes its session from the context, into which a middleware put it.
func ExampleFromContext() {
	handler := func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		items, _ := cart.Get(s)
		fmt.Fprintln(w, "in the cart:", items)
	}

	s := managerInMemory().New()
	cart.Put(s, []Item{{"coat", 1}})
	r := httptest.NewRequest(http.MethodGet, "/cart", nil)
	w := httptest.NewRecorder()
	handler(w, r.WithContext(session.NewContext(r.Context(), s)))
	fmt.Print(w.Body)

	// Without the middleware there is no session: nothing is read, and a change
	// would be an error in the log.
	w = httptest.NewRecorder()
	handler(w, r)
	fmt.Print(w.Body)

	// Output:
	// in the cart: [{coat 1}]
	// in the cart: []
}

// What a middleware does: it hands a session to the handler, and commits it
// when the handler is done. Chimw's commits before the first byte of the
// response, so that a cookie can still be set and an error still be told.
func ExampleNewContext() {
	m := managerInMemory()
	middleware := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s := m.New() // or what m.Load returns for a cookie
			next.ServeHTTP(w, r.WithContext(session.NewContext(r.Context(), s)))
			if err := s.Commit(r.Context()); err != nil {
				log.Print(err)
			}
			fmt.Println("stored:", s.Stored(), s.Keys())
		})
	}

	r := httptest.NewRequest(http.MethodPost, "/add?item=coat", nil)
	middleware(http.HandlerFunc(add)).ServeHTTP(httptest.NewRecorder(), r)

	// Output: stored: true [cart]
}

// Two managers, each with its own middleware, keep a session each. A handler
// inside of both asks the one that it means.
func ExampleManager_FromContext() {
	store := new(memory.Store)
	shop, err := session.NewManager(session.Config{Store: store, Name: "shop"})
	if err != nil {
		log.Fatal(err)
	}
	admin, err := session.NewManager(session.Config{Store: store, Name: "admin"})
	if err != nil {
		log.Fatal(err)
	}
	ctx := session.NewContext(context.Background(), shop.New()) // the outer middleware
	ctx = session.NewContext(ctx, admin.New())                  // the inner one

	fmt.Println("innermost:", session.FromContext(ctx).Manager().Name())
	fmt.Println("the shop's:", shop.FromContext(ctx).Manager().Name())

	// Output:
	// innermost: admin
	// the shop's: shop
}

// managerInMemory is a manager for an example that is about something else.
func managerInMemory() *session.Manager {
	m, err := session.NewManager(session.Config{Store: new(memory.Store), Observe: unseen})
	if err != nil {
		log.Fatal(err)
	}
	return m
}

func unseen(context.Context, session.Event) {} // in place of a log

// signIn is a session of a subject, as after the request that signed in.
func signIn(m *session.Manager, subject, label string) *session.Session {
	s := m.New()
	s.SetSubject(subject)
	s.SetLabel(label)
	if err := s.Commit(context.Background()); err != nil {
		log.Fatal(err)
	}
	return s
}
