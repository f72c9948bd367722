//go:build !unix

package memcachedtest

// Shutdown skips the test: this system has no signal for it.
func (s *Server) Shutdown() {
	s.t.Skip("memcachedtest: this system can't shut a process down gracefully")
}
