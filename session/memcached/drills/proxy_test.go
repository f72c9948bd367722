package drills_test

import (
	"io"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// A proxy stands before a node and can spoil its answers. What comes in one read
// counts as one answer: those of a session are small.
type proxy struct {
	listener net.Listener
	node     string // its address
	delay    atomic.Int64
	cut      atomic.Int64 // one answer of so many is cut, half of them at their beginning; 0: none
	cuts     atomic.Int64 // how many were
}

func startProxy(t *testing.T, node string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	p := &proxy{listener: listener, node: node}
	go p.serve()
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.connect(client)
	}
}

func (p *proxy) connect(client net.Conn) {
	defer client.Close()
	node, err := net.Dial("tcp", p.node)
	if err != nil {
		return
	}
	defer node.Close()
	go func() {
		_, _ = io.Copy(node, client)
		node.Close()
	}()
	p.answer(client, node)
}

func (p *proxy) answer(client, node net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := node.Read(buffer)
		if err != nil {
			return
		}
		if delay := p.delay.Load(); delay > 0 {
			<-time.After(time.Duration(delay))
		}
		if every := p.cut.Load(); every > 0 && rand.Int64N(every) == 0 {
			p.cuts.Add(1)
			_, _ = client.Write(buffer[:rand.IntN(n)*rand.IntN(2)])
			return
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}
