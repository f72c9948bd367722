//go:build !unix

package memcachedtest

// Pause skips the test: this system can't stop a process without ending it.
func (s *Server) Pause() { s.t.Skip("memcachedtest: this system can't pause a process") }

// Resume does nothing, for nothing can be paused.
func (s *Server) Resume() {}
