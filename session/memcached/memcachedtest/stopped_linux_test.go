package memcachedtest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// That nobody gets through to a server, as here by a dial that fails, does not
// make it a stopped one.
func TestPausedServerIsStopped(t *testing.T) {
	t.Parallel()
	var fails atomic.Bool
	s := memcachedtest.Config{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if fails.Load() {
			return nil, errors.New("planted")
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}.Start(t)
	for range 20 {
		fails.Store(true)
		s.Pause()
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", s.PID()))
		if err != nil || len(threads) < 2 {
			t.Fatalf("threads %q, %v", threads, err)
		}
		for _, thread := range threads {
			if status, err := os.ReadFile(thread); err != nil || !strings.Contains(string(status), "\nState:\tT (stopped)\n") {
				t.Errorf("%s, %v", status, err)
			}
		}
		fails.Store(false)
		s.Resume()
	}
}
