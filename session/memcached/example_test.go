package memcached_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/coatcheck/coatcheck/session/memcached"
)

func ExampleNew() {
	// No connection is made yet, so this works while memcached is down.
	store, err := memcached.New(memcached.Config{
		Nodes: []string{"a=10.0.0.1:11211", "b=10.0.0.2:11211"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	fmt.Println(store.MaxValueBytes("any key"))
	// Output: 1048064
}

// All mistakes are reported at once.
func ExampleNew_mistakes() {
	_, err := memcached.New(memcached.Config{
		Nodes:        []string{"10.0.0.1", "10.0.0.2:11211"},
		MaxIdleConns: -1,
	})
	fmt.Println(err)
	// Output:
	// memcached.Config.Nodes[0] = "10.0.0.1": must be host:port, [ipv6]:port or unix:/path
	// memcached.Config.MaxIdleConns = -1: must be 0 or from 1 to 65536
}

// Nodes that speak TLS (memcached -Z).
func ExampleNew_tls() {
	// Who signs the nodes' certificates: roots.AppendCertsFromPEM(…). Without
	// RootCAs, those that the system trusts.
	roots := x509.NewCertPool()
	dialer := &tls.Dialer{Config: &tls.Config{
		MinVersion: tls.VersionTLS13,
		RootCAs:    roots,
		// If nodes ask for a client's certificate (-o ssl_verify_mode=2),
		// what tls.LoadX509KeyPair returns:
		//	Certificates: []tls.Certificate{cert},
	}}
	store, err := memcached.New(memcached.Config{
		Nodes:       []string{"a=cache-1.example:11211", "b=cache-2.example:11211"},
		DialContext: dialer.DialContext,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	fmt.Println(store.Available("any key"))
	// Output: true
}

// Nodes that ask for a password (memcached -Y), over TLS.
func ExampleAuthenticated() {
	dialer := &tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS13}}
	dial, err := memcached.Authenticated(dialer.DialContext, "sessions", "correct-horse-battery-staple")
	if err != nil {
		fmt.Println(err)
		return
	}
	store, err := memcached.New(memcached.Config{Nodes: []string{"cache.example:11211"}, DialContext: dial})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	fmt.Println(store.Available("any key"))
	// Output: true
}

// What no node could accept is a mistake, and not shown.
func ExampleAuthenticated_mistakes() {
	_, err := memcached.Authenticated(nil, "sessions", "read from a file\n")
	fmt.Println(err)
	// Output:
	// memcached.Authenticated.password: must not have a space, CR, LF or NUL in it, also not at its end
}

// An overview for those who run the nodes, and for what alarms them. It names
// addresses: keep it from the public. Nor is it what a load balancer should ask,
// for a process without one of its nodes still serves the sessions on the others.
func ExampleStore_Health() {
	store, err := memcached.New(memcached.Config{Nodes: []string{"a=unix:/missing/socket"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()

	overview := func(w http.ResponseWriter, r *http.Request) {
		nodes := store.Health(r.Context())
		for _, n := range nodes {
			if n.Err != nil || n.Evictions > 0 {
				fmt.Printf("alarm: node %s: %v, %d evictions\n", n.Name, n.Err, n.Evictions)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(nodes); err != nil {
			fmt.Println(err)
		}
	}

	w := httptest.NewRecorder()
	overview(w, httptest.NewRequest(http.MethodGet, "/nodes", nil))
	fmt.Print(w.Body)
	// Output:
	// alarm: node a: memcached: node a: stats: dial unix /missing/socket: connect: no such file or directory, 0 evictions
	// [{"Name":"a","Addr":"unix:/missing/socket","Up":true,"Evictions":0,"Gets":0,"Connections":0,"RejectedConnections":0,"Items":0,"Bytes":0,"LimitBytes":0,"Err":"memcached: node a: stats: dial unix /missing/socket: connect: no such file or directory"}]
}

// A third node, in three steps that every process takes before the next one
// begins: here one process takes them all. Nodes tells which step it has taken.
func ExampleStore_SetNodes() {
	two := []string{"a=10.0.0.1:11211", "b=10.0.0.2:11211"}
	three := append([]string{"c=10.0.0.3:11211"}, two...)
	store, err := memcached.New(memcached.Config{Nodes: two})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	for _, step := range [][2][]string{
		{two, three}, // new sessions go where both lists find them; wait for a MaxLifetime
		{three, two},
		{three, nil},
	} {
		if err := store.SetNodes(step[0], step[1]); err != nil {
			fmt.Println(err)
		}
		fmt.Println(store.Nodes())
	}
	// Output:
	// [a b] [c a b]
	// [c a b] [a b]
	// [c a b] []
}
