package memcached_test

import (
	"fmt"

	"github.com/coatcheck/coatcheck/session/memcached"
)

func ExampleNew() {
	// No connection is made yet, so this works while memcached is down.
	store, err := memcached.New(memcached.Config{Nodes: []string{"a=10.0.0.1:11211", "b=10.0.0.2:11211"}})
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
