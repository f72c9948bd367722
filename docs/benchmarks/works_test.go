package benchmarks_test

import (
	"fmt"

	"github.com/coatcheck/coatcheck/docs/benchmarks"
)

// What a client shows in place of what it was given.
const (
	genuine = iota
	forged
	expired
)

// A work is what is measured: a request, and by whom.
type work struct {
	name, by       string
	shows          int
	sessions       int // 0: each client has one
	bytes, keys    int
	method, target string
	check          check
	calls          bool  // whether any is due to memcached
	crowds         []int // how many clients there are at a time; complete has 64 and 256
	libraries      []string
}

func (w work) String() string {
	sessions := "own"
	if w.sessions > 0 {
		sessions = fmt.Sprint(w.sessions)
	}
	return fmt.Sprintf("work=%s/by=%s/sessions=%s", w.name, w.by, sessions)
}

var (
	byCookie = []string{"coatcheck", "coatcheck-sealed", "scs", "gorilla", "gomemcache"}
	byToken  = []string{"coatcheck", "coatcheck-sealed", "jwtauth"}
)

// growing are numbers of clients, for what depends on them.
var growing = []int{1, 8, 64, 256}

// reads are what changes no session. What is held against an empty request comes
// right after it.
var reads = complete([]work{
	{name: "read", by: "cookie", target: "/read", check: email, calls: true, libraries: byCookie, crowds: growing},
	{name: "read", by: "token", target: "/read", check: email, calls: true, libraries: byToken},
	{name: "read", by: "cookie", sessions: 1000, target: "/read", check: email, calls: true, libraries: byCookie},
	{name: "read", by: "cookie", sessions: 1, target: "/read", check: email, calls: true, libraries: byCookie},
	{name: "untouched", by: "cookie", target: "/untouched", check: hello, calls: true, libraries: byCookie},
	{name: "untouched", by: "token", target: "/untouched", check: hello, calls: true, libraries: byToken},
	{name: "empty", by: "none", target: "/empty", check: hello, libraries: []string{"chi"}},
	{name: "anonymous", by: "none", target: "/anonymous", check: hello, libraries: []string{"coatcheck", "scs", "gorilla", "jwtauth", "gomemcache"}},
	{name: "forged", by: "token", shows: forged, target: "/read", check: refused, libraries: byToken},
	{name: "forged", by: "cookie", shows: forged, target: "/read", check: nothing, calls: true, libraries: byCookie},
	{name: "expired", by: "token", shows: expired, target: "/read", check: refused, libraries: byToken},
})

// slides are reads of which some or all record that the session was seen.
var slides = complete([]work{
	{name: "slide", by: "cookie", target: "/read", check: email, calls: true, libraries: []string{"coatcheck", "coatcheck-refreshing", "scs", "scs-idle"}},
})

// writes are what changes a session.
var writes = complete([]work{
	{name: "write", by: "cookie", method: "POST", target: "/count", check: next, calls: true, libraries: byCookie, crowds: growing},
	{name: "write", by: "token", method: "POST", target: "/count", check: next, calls: true, libraries: byToken},
	{name: "write", by: "cookie", sessions: 1000, method: "POST", target: "/count", check: next, calls: true, libraries: byCookie},
	{name: "write", by: "cookie", sessions: 1, method: "POST", target: "/count", check: number, calls: true, libraries: byCookie},
	{name: "login", by: "cookie", method: "POST", target: "/login?", check: renewed, calls: true, libraries: byCookie},
	{name: "login", by: "token", method: "POST", target: "/login?", check: renewed, calls: true, libraries: byToken},
})

func complete(works []work) []work {
	for i := range works {
		w := &works[i]
		if w.method == "" {
			w.method = "GET"
		}
		if w.crowds == nil {
			w.crowds = crowds
		}
		if w.bytes == 0 {
			w.bytes, w.keys = benchmarks.NoteBytes, benchmarks.SessionKeys
		}
	}
	return works
}

// free reports whether a library is to do a work without a store call: where no
// session is asked for, where the library keeps none or loads it when it is used,
// and where it checks what it is shown first.
func (w work) free(library string) bool {
	switch {
	case !w.calls, library == "jwtauth":
		return true
	case w.shows == forged:
		return library == "coatcheck-sealed" || library == "gorilla"
	default:
		return w.name == "untouched" && library == "gorilla"
	}
}
