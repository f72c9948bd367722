package memcachedtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// awaitStop waits until the kernel says of each thread that it is stopped. That
// no answer comes would say little on a busy machine: it may be late.
func (s *Server) awaitStop() {
	s.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(patience); ; <-tick.C {
		stopped, err := threadsStopped(s.PID())
		switch {
		case err != nil:
			s.t.Fatalf("memcachedtest: %v", err)
		case stopped:
			return
		case time.Now().After(limit):
			s.t.Fatalf("memcachedtest: it still runs %v after SIGSTOP", patience)
		}
	}
}

// threadsStopped reads the states of a process's threads (proc(5), /proc/pid/stat):
// T is stopped by a signal.
func threadsStopped(pid int) (bool, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(threads) == 0 {
		return false, fmt.Errorf("process %d has no threads: %w", pid, errors.Join(err, fs.ErrNotExist))
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has ended
		}
		if err != nil {
			return false, err
		}
		name := strings.LastIndex(string(stat), ") ") // a name may have anything in it
		if !strings.HasPrefix(string(stat[name+1:]), " T ") {
			return false, nil
		}
	}
	return true, nil
}
