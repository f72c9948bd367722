package memcached_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session/memcached"
)

// What a fake may do instead of answering.
const (
	hangUp  = "\x00hang up" // close the connection; also after the beginning of an answer
	silence = "\x00silence" // keep it open and say nothing
)

// A dialContext is what Config.DialContext is.
type dialContext = func(ctx context.Context, network, address string) (net.Conn, error)

// A fake is a node that answers what its test says. It shows what was sent, and
// can do what a real node does only when nobody is looking.
type fake struct {
	// answer is called with the number of the connection, counted from 0, and
	// the command's first line. It may take its time.
	answer func(conn int, command string) string

	closed chan struct{} // gets a value when a connection is closed; may be nil
	probed bool          // answer is called for probes too, rather than all answered

	mu       sync.Mutex
	dials    int
	commands []string
}

func (f *fake) dial(context.Context, string, string) (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	client, server := net.Pipe()
	go f.serve(f.dials, server)
	f.dials++
	return client, nil
}

func (f *fake) serve(conn int, c net.Conn) {
	defer func() {
		c.Close()
		if f.closed != nil {
			f.closed <- struct{}{}
		}
	}()
	r := bufio.NewReader(c)
	for {
		command, err := readCommand(r)
		if err != nil {
			return
		}
		if command == "version" && !f.probed {
			io.WriteString(c, "VERSION 1.6.18\r\n")
			continue
		}
		f.mu.Lock()
		f.commands = append(f.commands, command)
		f.mu.Unlock()
		answer := f.answer(conn, command)
		if answer == silence {
			io.Copy(io.Discard, r)
			return
		}
		if cut, ok := strings.CutSuffix(answer, hangUp); ok {
			io.WriteString(c, cut)
			return
		}
		if _, err := io.WriteString(c, answer); err != nil {
			return
		}
	}
}

// readCommand reads a command's line, and its value if it has one.
func readCommand(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimSuffix(line, "\r\n")
	var size int
	if f := strings.Fields(line); len(f) >= 5 && (f[0] == "add" || f[0] == "cas" || f[0] == "set") {
		fmt.Sscan(f[4], &size)
		_, err = io.CopyN(io.Discard, r, int64(size+2))
	}
	return line, err
}

// sent returns the commands that arrived.
func (f *fake) sent() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.commands...)
}

// forget has sent begin anew.
func (f *fake) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commands = nil
}

// connections returns how many were made.
func (f *fake) connections() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dials
}

// open returns a store whose only node is f.
func (f *fake) open(t testing.TB) *memcached.Store {
	t.Helper()
	return open(t, memcached.Config{Nodes: []string{"fake.example:11211"}, DialContext: f.dial})
}

// openUnhurried is for tests in real time, on machines that are busy.
func (f *fake) openUnhurried(t testing.TB) *memcached.Store {
	t.Helper()
	return open(t, memcached.Config{Nodes: []string{"fake.example:11211"}, DialContext: f.dial, Timeout: 2 * time.Second})
}

// found is a node's answer to a get.
func found(key, value string, version uint64) string {
	return fmt.Sprintf("VALUE %s 0 %d %d\r\n%s\r\nEND\r\n", key, len(value), version, value)
}

// A patient is a fake whose connections can be refused.
type patient struct {
	fake
	refuses atomic.Bool
}

var errPlanted = errors.New("planted")

func (p *patient) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if p.refuses.Load() {
		p.mu.Lock()
		p.dials++
		p.mu.Unlock()
		return nil, errPlanted
	}
	return p.fake.dial(ctx, network, address)
}

func stalls(int, string) string { return silence }

// mute connects to a node that never says anything, not even to a probe.
func mute(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go io.Copy(io.Discard, server)
	return client, nil
}

func neverConnects(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// trickle connects to a node that answers a byte each 100 ms.
func trickle(answer string) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			server.Read(make([]byte, 4096))
			for i := range len(answer) {
				<-time.After(100 * time.Millisecond)
				if _, err := server.Write([]byte(answer[i : i+1])); err != nil {
					return
				}
			}
		}()
		return client, nil
	}
}

// slowly answers every command after 10 ms.
func slowly(_ int, command string) string {
	<-time.After(10 * time.Millisecond)
	if strings.HasPrefix(command, "delete") {
		return "NOT_FOUND\r\n"
	}
	return "END\r\n"
}

const tooLarge = "SERVER_ERROR object too large for cache\r\n"
