//go:build unix

package memcachedtest

import "syscall"

// Pause stops the process without ending it, by SIGSTOP, and returns when it is
// stopped: connections to it stay open, the system even accepts new ones for it,
// but nothing answers. On systems without that signal the test is skipped.
func (s *Server) Pause() {
	s.t.Helper()
	s.signal(syscall.SIGSTOP)
	s.awaitStop()
}

// Resume lets a paused server go on, and returns when it answers. It does now
// what it was asked while it was paused, even by those who have left.
func (s *Server) Resume() {
	s.t.Helper()
	s.signal(syscall.SIGCONT)
	if !s.answers(patience) {
		s.t.Fatalf("memcachedtest: no answer within %v of SIGCONT", patience)
	}
}

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if s.process == nil {
		s.t.Fatalf("memcachedtest: %v to a stopped server", sig)
	}
	if err := s.process.Process.Signal(sig); err != nil {
		s.t.Fatalf("memcachedtest: %v: %v", sig, err)
	}
}
