package memcachedtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/child"
	"github.com/coatcheck/coatcheck/internal/needs"
)

// patience is how long a server may take for anything.
const patience = 10 * time.Second

var errEnded = errors.New("ended at once")

// A Server is a memcached process that belongs to one test. Its zero value is
// of no use. It must not be copied. Stop, Shutdown, Restart, Pause and Resume must
// not be called concurrently, nor PID beside them; the others may be at any time.
type Server struct {
	t      testing.TB
	binary string
	args   []string
	listen listener
	dial   func(ctx context.Context, network, address string) (net.Conn, error)

	process *exec.Cmd
	exited  <-chan struct{} // closed when process has ended
}

// A Config says how a [Server] is to be talked to. Its zero value is what Start
// and StartUnix use. It can be copied, and is not changed.
type Config struct {
	// DialContext makes the connections on which the server is asked whether
	// it answers, and what it holds. It is for servers that want more than a
	// connection, as those with TLS (-Z) or passwords (-Y) do, and is what
	// memcached.Config takes. Nil means that of a zero net.Dialer.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
}

// Start is Config.Start of a zero Config.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	return Config{}.Start(t, args...)
}

// StartUnix is Config.StartUnix of a zero Config.
func StartUnix(t testing.TB, args ...string) *Server {
	t.Helper()
	return Config{}.StartUnix(t, args...)
}

// Start runs memcached on a free port of 127.0.0.1 until the test ends. The
// arguments are memcached's own, as in Start(t, "-I", "2m", "-m", "128").
func (cfg Config) Start(t testing.TB, args ...string) *Server {
	t.Helper()
	s := cfg.server(t, args)
	var err error
	for range 20 {
		s.listen = tcp(freePort())
		if err = s.start(); err == nil {
			return s
		}
		if !errors.Is(err, errEnded) {
			break // another port would be no better
		}
	}
	t.Fatalf("memcachedtest: %v", err)
	return nil
}

// StartUnix is like Start with a unix socket.
func (cfg Config) StartUnix(t testing.TB, args ...string) *Server {
	t.Helper()
	// Not t.TempDir: a socket's path may have a hundred bytes, and that
	// directory is named after the test.
	dir, err := os.MkdirTemp("", "memcached") //nolint:usetesting // as said
	if err != nil {
		t.Fatalf("memcachedtest: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := cfg.server(t, args)
	s.listen = unix(filepath.Join(dir, "socket"))
	if err := s.start(); err != nil {
		t.Fatalf("memcachedtest: %v", err)
	}
	return s
}

// server returns one that has yet to be started.
func (cfg Config) server(t testing.TB, args []string) *Server {
	t.Helper()
	s := &Server{t: t, binary: binary(t), args: args, dial: cfg.DialContext}
	if s.dial == nil {
		s.dial = new(net.Dialer).DialContext
	}
	t.Cleanup(s.Stop)
	return s
}

// Shared returns the address of a server that other tests may use at the same
// time: $MEMCACHED_ADDR, or a server of the test's own if that is not set. Keys
// have to be random, and nothing may be flushed.
func Shared(t testing.TB) string {
	t.Helper()
	if addr := os.Getenv("MEMCACHED_ADDR"); addr != "" {
		return addr
	}
	return Start(t).Addr()
}

// Addr returns what memcached.Config takes as a node: "127.0.0.1:port", or
// "unix:/path" after StartUnix. It stays the same over a restart.
func (s *Server) Addr() string { return s.listen.addr }

// PID returns the process's ID, or 0 while there is none.
func (s *Server) PID() int {
	if s.process == nil {
		return 0
	}
	return s.process.Process.Pid
}

// Stop kills the server, and waits until it is gone. Everything in it is lost.
// Stopping a stopped server does nothing.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	s.process.Process.Kill() // as a crash would; it works on a paused one too
	<-s.exited
	s.process = nil
}

// Restart stops the server if it runs, and starts it again at the same address
// with the same arguments: empty, unless it was Shutdown and keeps a file (-e).
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	if err := s.start(); err != nil {
		s.t.Fatalf("memcachedtest: restart: %v", err)
	}
}

// start runs the process and waits until it answers, or has given up.
func (s *Server) start() error {
	var stderr strings.Builder
	cmd := exec.Command(s.binary, append(s.listen.flags(), s.args...)...)
	cmd.Stderr = &stderr
	exited, err := child.Start(cmd)
	if err != nil {
		return err
	}
	s.process, s.exited = cmd, exited
	if err := s.awaitAnswer(); err != nil {
		s.Stop()
		return fmt.Errorf("%w: %s", err, stderr.String())
	}
	return nil
}

// awaitAnswer waits until the process that was started answers. Another one at
// the same address would be a trap: that test would kill the wrong server.
func (s *Server) awaitAnswer() error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(patience)
	for {
		stats, err := s.stats()
		if err == nil {
			if stats["pid"] == strconv.Itoa(s.PID()) {
				return nil
			}
			err = fmt.Errorf("process %s does", stats["pid"])
		}
		select {
		case <-s.exited:
			return fmt.Errorf("%s %s %w", s.binary, strings.Join(s.process.Args[1:], " "), errEnded)
		case <-timeout:
			return fmt.Errorf("%s did not answer within %v: %w", s.binary, patience, err)
		case <-tick.C:
		}
	}
}

// A listener is where a server listens.
type listener struct {
	network, address string // as for net.Dial
	addr             string // as for memcached.Config
}

func tcp(port int) listener {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	return listener{network: "tcp", address: address, addr: address}
}

func unix(path string) listener {
	return listener{network: "unix", address: path, addr: "unix:" + path}
}

func (l listener) flags() []string {
	var flags []string
	if os.Getuid() == 0 {
		flags = append(flags, "-u", "root") // it refuses to run as root unasked
	}
	if l.network == "unix" {
		return append(flags, "-s", l.address)
	}
	host, port, _ := net.SplitHostPort(l.address)
	return append(flags, "-l", host, "-p", port, "-U", "0")
}

// freePort returns a port that nobody listened on just now. It is below the
// range that systems take outgoing ports from (RFC 6335 6 and Linux's 32768),
// so that nobody's connection takes it while the server is stopped.
func freePort() int {
	for {
		port := 15000 + rand.IntN(17000)
		l, err := net.Listen("tcp", tcp(port).address)
		if err != nil {
			continue
		}
		l.Close()
		return port
	}
}

// binary finds memcached, or skips or fails the test.
func binary(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("memcached")
	if err != nil {
		needs.Missing(t, "COATCHECK_REQUIRE_MEMCACHED", fmt.Errorf("memcachedtest: this test needs the memcached binary: %w", err))
	}
	return path
}
