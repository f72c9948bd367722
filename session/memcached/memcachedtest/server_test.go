package memcachedtest_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

func dial(t *testing.T, s *memcachedtest.Server) *memcache.Client {
	t.Helper()
	client := memcache.New(strings.TrimPrefix(s.Addr(), "unix:"))
	client.Timeout = 100 * time.Millisecond
	t.Cleanup(func() { client.Close() })
	return client
}

func set(t *testing.T, c *memcache.Client, key, value string, seconds int32) {
	t.Helper()
	if err := c.Set(&memcache.Item{Key: key, Value: []byte(value), Expiration: seconds}); err != nil {
		t.Fatal(err)
	}
}

func TestDumpShowsEverything(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB, ...string) *memcachedtest.Server{
		"tcp": memcachedtest.Start, "unix socket": memcachedtest.StartUnix,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			c := dial(t, s)
			set(t, c, "forever", "END\r\n", 0)
			set(t, c, "a/b%c=d", "\x00\xff", 100)
			for i := range 200 {
				set(t, c, fmt.Sprint("many.", i), "x", 1000)
			}

			items := s.Dump(t)
			if len(items) != 202 {
				t.Errorf("%d items, want 202", len(items))
			}
			if got := items["forever"]; string(got.Value) != "END\r\n" || !got.Expires.IsZero() {
				t.Errorf("forever: %+v", got)
			}
			got := items["a/b%c=d"]
			if left := time.Until(got.Expires); !bytes.Equal(got.Value, []byte{0, 0xff}) || left < 90*time.Second || left > 102*time.Second {
				t.Errorf("a/b%%c=d: %+v, expires in %v", got, left)
			}
			if n := s.Stat(t, "curr_items"); n != 202 {
				t.Errorf("curr_items is %d", n)
			}
		})
	}
}

func TestArgumentsReachTheServer(t *testing.T) {
	t.Parallel()
	s := memcachedtest.Start(t, "-m", "17")
	if got := s.Stat(t, "limit_maxbytes"); got != 17<<20 {
		t.Errorf("limit_maxbytes is %d, want 17 MiB", got)
	}
}

func TestStatsOfAKind(t *testing.T) {
	t.Parallel()
	s := memcachedtest.Start(t)
	set(t, dial(t, s), "k", "v", 0)
	items, slabs := s.Stats(t, "items"), s.Stats(t, "slabs")
	if items["items:1:number"] != "1" || slabs["1:used_chunks"] != "1" {
		t.Errorf("items %q, slabs %q", items, slabs)
	}
}

// A server that answers nobody without a password is started, asked, restarted
// and paused by connections that show it one.
func TestConfigDialContext(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "passwords")
	if err := os.WriteFile(file, []byte("user:password\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := memcachedtest.Config{DialContext: showPassword}
	for name, start := range map[string]func(testing.TB, ...string) *memcachedtest.Server{"tcp": cfg.Start, "unix socket": cfg.StartUnix} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, "-Y", file)
			s.Restart()
			s.Pause()
			s.Resume()
			if n, items := s.Stat(t, "curr_items"), s.Dump(t); n != 0 || len(items) != 0 {
				t.Errorf("%d items: %v", n, items)
			}
			if s.Stat(t, "auth_cmds") == 0 {
				t.Error("nobody showed a password")
			}
			network, address, _ := strings.Cut(s.Addr(), ":")
			if network != "unix" {
				network, address = "tcp", s.Addr()
			}
			conn, err := net.Dial(network, address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			io.WriteString(conn, "version\r\n")
			if line, _ := bufio.NewReader(conn).ReadString('\n'); line != "CLIENT_ERROR unauthenticated\r\n" {
				t.Errorf("without a password: %q", line)
			}
		})
	}
}

func showPassword(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	io.WriteString(conn, "set user 0 0 13\r\nuser password\r\n")
	if _, err := io.ReadFull(conn, make([]byte, len("STORED\r\n"))); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func TestServersAreApart(t *testing.T) {
	t.Parallel()
	a, b := memcachedtest.Start(t), memcachedtest.Start(t)
	set(t, dial(t, a), "k", "v", 0)
	if len(b.Dump(t)) != 0 {
		t.Error("one server has what was stored in another")
	}
}

func TestRestartIsEmptyAtTheSameAddress(t *testing.T) {
	t.Parallel()
	s := memcachedtest.Start(t)
	set(t, dial(t, s), "k", "v", 0)
	addr, pid := s.Addr(), s.PID()

	s.Stop()
	if conn, err := net.Dial("tcp", s.Addr()); err == nil {
		conn.Close()
		t.Error("somebody answers after Stop")
	}
	s.Stop() // does nothing
	s.Restart()
	if s.Addr() != addr || s.PID() == pid || s.PID() == 0 {
		t.Errorf("restarted at %s as %d, was at %s as %d", s.Addr(), s.PID(), addr, pid)
	}
	if len(s.Dump(t)) != 0 {
		t.Error("not empty after Restart")
	}
}

func TestPausedServerIsSilentAndKeepsWhatItHas(t *testing.T) {
	t.Parallel()
	s := memcachedtest.Start(t)
	c := dial(t, s)
	set(t, c, "k", "v", 0)
	s.Pause()
	if _, err := c.Get("k"); err == nil {
		t.Error("a paused server answered")
	}
	s.Resume()
	if it, err := c.Get("k"); err != nil || string(it.Value) != "v" {
		t.Errorf("after Resume: %v, %v", it, err)
	}
	s.Pause() // the end of the test kills a paused one too
}

func TestEndOfTestEndsTheServer(t *testing.T) {
	t.Parallel()
	var addr string
	t.Run("inner", func(t *testing.T) { addr = memcachedtest.Start(t).Addr() })
	if conn, err := net.Dial("tcp", addr); err == nil {
		conn.Close()
		t.Errorf("%s still answers", addr)
	}
}

func TestSharedIsTheServerThatTheEnvironmentNames(t *testing.T) {
	t.Setenv("MEMCACHED_ADDR", "cache.example:11211")
	if got := memcachedtest.Shared(t); got != "cache.example:11211" {
		t.Errorf("Shared is %q", got)
	}
	os.Unsetenv("MEMCACHED_ADDR")
	if _, err := memcache.New(memcachedtest.Shared(t)).Get("absent"); err != memcache.ErrCacheMiss {
		t.Errorf("Shared without the variable: %v", err)
	}
}

func TestMissingBinary(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, require := range []string{"", "1"} {
		t.Setenv("COATCHECK_REQUIRE_MEMCACHED", require)
		r := &recorder{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			memcachedtest.Start(r)
		}()
		<-done
		if r.skipped != (require == "") || r.failed != (require != "") {
			t.Errorf("COATCHECK_REQUIRE_MEMCACHED=%q: skipped %v, failed %v", require, r.skipped, r.failed)
		}
		if !strings.Contains(r.message, "memcached binary") {
			t.Errorf("it says %q", r.message)
		}
	}
}

// A recorder notes how a test ended.
type recorder struct {
	testing.TB
	skipped, failed bool
	message         string
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failed, r.message = true, fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Skipf(format string, args ...any) {
	r.skipped, r.message = true, fmt.Sprintf(format, args...)
	runtime.Goexit()
}
