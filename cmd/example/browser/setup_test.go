// Package browser_test drives the example's page in a real Chromium: real
// processes of the example, over real memcached, used as people use it.
//
// It is a module of its own, to keep what it needs out of the go.sum of
// everybody else. Beside Go it needs chromium, HTTPie and npm: a test skips for
// want of one, and fails if COATCHECK_REQUIRE_BROWSER is set. `make browser`
// installs them.
package browser_test

import (
	"os"
	"testing"

	"github.com/coatcheck/coatcheck/internal/await"
)

// required is set where no test may be skipped.
const required = "COATCHECK_REQUIRE_BROWSER"

func TestMain(m *testing.M) {
	status := m.Run()
	stopChromium()
	_ = os.RemoveAll(scratch) // it may not have been made
	os.Exit(status)
}

// eventually waits for a condition. what is asked when that was in vain.
func eventually(t *testing.T, condition func() bool, what func() string) {
	t.Helper()
	if !await.Try(condition) {
		t.Fatalf("not within %v: %s", await.Limit, what())
	}
}
