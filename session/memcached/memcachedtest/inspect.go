package memcachedtest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// An Item is what a server holds under one key. It is a copy, which can be kept.
type Item struct {
	Value   []byte
	Expires time.Time // to the second; zero if it never does
}

// Stats returns what the server's "stats" command says, or one of its kinds, as
// Stats(t, "slabs") and Stats(t, "items").
func (s *Server) Stats(t testing.TB, kind ...string) map[string]string {
	t.Helper()
	stats, err := s.stats(kind...)
	if err != nil {
		t.Fatalf("memcachedtest: stats: %v", err)
	}
	return stats
}

// Stat returns one number of Stats, such as "cmd_get", "cas_hits",
// "curr_connections" or "total_connections".
func (s *Server) Stat(t testing.TB, name string) int {
	t.Helper()
	n, err := strconv.Atoi(s.Stats(t)[name])
	if err != nil {
		t.Fatalf("memcachedtest: stat %q: %v", name, err)
	}
	return n
}

// Dump returns everything that the server holds, by key. It asks for each item
// by a get, which the server counts.
func (s *Server) Dump(t testing.TB) map[string]Item {
	t.Helper()
	items, err := s.dump()
	if err != nil {
		t.Fatalf("memcachedtest: dump: %v", err)
	}
	return items
}

func (s *Server) stats(kind ...string) (map[string]string, error) {
	lines, err := s.ask(strings.Join(append([]string{"stats"}, kind...), " "))
	stats := make(map[string]string)
	for _, line := range lines {
		if name, value, ok := strings.Cut(strings.TrimPrefix(line, "STAT "), " "); ok {
			stats[name] = value
		}
	}
	return stats, err
}

func (s *Server) dump() (map[string]Item, error) {
	keys, err := s.crawl()
	if err != nil {
		return nil, err
	}
	items := make(map[string]Item)
	for key, expires := range keys {
		value, ok, err := s.value(key)
		if err != nil {
			return nil, err
		}
		if ok {
			items[key] = Item{Value: value, Expires: expires}
		}
	}
	return items, nil
}

// answers reports whether the server answers anything within the time.
func (s *Server) answers(within time.Duration) bool {
	return s.converseWithin(within, "version", func(r *bufio.Reader) error {
		_, err := r.ReadByte()
		return err
	}) == nil
}

// crawl lists all keys with their expiry. The crawler serves one at a time and
// answers BUSY to others.
func (s *Server) crawl() (map[string]time.Time, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(patience); ; <-tick.C {
		lines, err := s.ask("lru_crawler metadump all")
		if err == nil {
			return parseCrawl(lines)
		}
		if time.Now().After(limit) {
			return nil, err
		}
	}
}

// parseCrawl reads lines such as "key=a%2Fb exp=1700000000 la=… cas=… …".
func parseCrawl(lines []string) (map[string]time.Time, error) {
	keys := make(map[string]time.Time)
	for _, line := range lines {
		var name string
		var seconds int64
		if _, err := fmt.Sscanf(line, "key=%s exp=%d ", &name, &seconds); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		key, err := url.PathUnescape(name)
		if err != nil {
			return nil, err
		}
		keys[key] = time.Time{}
		if seconds > 0 {
			keys[key] = time.Unix(seconds, 0)
		}
	}
	return keys, nil
}

// ask sends a command and returns the lines of its answer up to END.
func (s *Server) ask(command string) (lines []string, err error) {
	err = s.converse(command, func(r *bufio.Reader) error {
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return err
			}
			line = strings.TrimSuffix(line, "\r\n")
			line = strings.TrimSuffix(line, "\n") // metadump ends its lines so
			switch {
			case line == "END":
				return nil
			case strings.HasPrefix(line, "BUSY"), strings.HasPrefix(line, "ERROR"), strings.HasPrefix(line, "CLIENT_ERROR"):
				return fmt.Errorf("%s: %s", command, line)
			}
			lines = append(lines, line)
		}
	})
	return lines, err
}

// value gets one value; ok says whether there is one.
func (s *Server) value(key string) (value []byte, ok bool, err error) {
	err = s.converse("get "+key, func(r *bufio.Reader) error {
		var size int
		line, err := r.ReadString('\n')
		if err != nil || line == "END\r\n" {
			return err
		}
		if _, err := fmt.Sscanf(line, "VALUE %s %d %d\r\n", new(string), new(int), &size); err != nil {
			return fmt.Errorf("get: %q: %w", line, err)
		}
		value, ok = make([]byte, size), true
		_, err = io.ReadFull(r, value)
		return err
	})
	return value, ok, err
}

// converse sends a command on a connection of its own and has the answer read.
func (s *Server) converse(command string, read func(*bufio.Reader) error) error {
	return s.converseWithin(patience, command, read)
}

func (s *Server) converseWithin(timeout time.Duration, command string, read func(*bufio.Reader) error) error {
	deadline := time.Now().Add(timeout)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	conn, err := s.dial(ctx, s.listen.network, s.listen.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(deadline)
	if _, err := io.WriteString(conn, command+"\r\n"); err != nil {
		return err
	}
	return read(bufio.NewReader(conn))
}
