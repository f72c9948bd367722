//go:build unix && !linux

package memcachedtest

import "time"

// silence is how long an answer stays out before a server counts as stopped,
// where the system is not asked.
const silence = 50 * time.Millisecond

func (s *Server) awaitStop() {
	for s.answers(silence) {
	}
}
