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
	"os/exec"
	"testing"
	"time"
)

// patience is how long anything may take on a machine with other things to do.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	status := m.Run()
	stopChromium()
	_ = os.RemoveAll(scratch) // it may not have been made
	os.Exit(status)
}

// tool returns the path of a program that a test needs.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, err)
	}
	return path
}

// missing skips a test for want of a program, unless COATCHECK_REQUIRE_BROWSER
// is set: then nothing is skipped, and the test fails.
func missing(t *testing.T, err error) {
	t.Helper()
	if os.Getenv("COATCHECK_REQUIRE_BROWSER") != "" {
		t.Fatalf("COATCHECK_REQUIRE_BROWSER is set, but: %v", err)
	}
	t.Skipf("SKIPPED: %v", err)
}

// eventually waits for a condition of which nobody tells. what is asked when
// that was in vain.
func eventually(t *testing.T, condition func() bool, what func() string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(patience); !condition(); <-tick.C {
		if time.Now().After(limit) {
			t.Fatalf("not within %v: %s", patience, what())
		}
	}
}
