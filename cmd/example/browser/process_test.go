package browser_test

import (
	"os"
	"sync"
	"testing"

	"github.com/coatcheck/coatcheck/internal/exampletest"
)

// scratch is where the example is built to.
var scratch string

// example builds the program, once.
var example = sync.OnceValues(func() (path string, err error) {
	if scratch, err = os.MkdirTemp("", "coatcheck-browser-"); err != nil {
		return "", err
	}
	return exampletest.Build("..", scratch)
})

// serve runs the example, as a process of its own, until the test ends. It
// returns its origin, such as http://127.0.0.1:1234.
func serve(t *testing.T, args ...string) (origin string) {
	t.Helper()
	browserContext(t) // without one there is nobody to serve
	binary, err := example()
	if err != nil {
		t.Fatal(err)
	}
	return exampletest.Start(t, binary, nil, append([]string{"-memcached-timeout", "5s"}, args...)...).URL
}
