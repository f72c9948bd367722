//go:build unix

package memcachedtest

import (
	"syscall"
	"time"
)

// Shutdown ends the process by SIGUSR1 and waits until it is gone. A server that
// was started with "-e", file keeps what it holds, and Restart finds it again;
// any other loses everything, as by Stop. On systems without that signal the
// test is skipped.
//
// It returns in the second after the one in which the process ended: memcached
// takes what was left in the same second for the work of a clock that went
// backwards, and starts empty.
func (s *Server) Shutdown() {
	s.t.Helper()
	s.signal(syscall.SIGUSR1)
	select {
	case <-s.exited:
	case <-time.After(patience):
		s.t.Fatalf("memcachedtest: still there %v after SIGUSR1", patience)
	}
	s.process = nil
	ended := time.Now().Unix()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Unix() <= ended {
		<-tick.C
	}
}
