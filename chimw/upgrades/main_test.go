// Package upgrades_test takes connections that live long through the
// middleware: websockets by two libraries, as they come, and server-sent
// events. It is a module of its own, to keep those libraries out of the go.sum
// of everybody else.
package upgrades_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails if a goroutine outlives all tests: each closes its connections
// and its server, and waits for its handlers.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
