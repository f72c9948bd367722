package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	path := passwords(t)
	server := memcachedtest.Config{DialContext: authenticated(t, nil)}.Start(t, "-Y", path)
	o := new(observer)
	s := open(t, memcached.Config{
		Nodes: []string{server.Addr()}, DialContext: authenticatedAs(t, nil, "wr0ng"), Observe: o.observe, Timeout: 5 * time.Second,
	})
	for name, call := range methods {
		t.Run(name, func(t *testing.T) {
			err := call(t.Context(), s, "k", time.Hour)
			unknown(t, err)
			refused(t, err)
		})
	}
	if s.Available("k") {
		t.Error("the node counts as available")
	}
	await.Until(t, "an event", func() bool { return len(o.seen()) > 0 })
	if e := o.first(); e.Kind != session.NodeDown {
		t.Errorf("event %v", e.Kind)
	}
	refused(t, o.first().Err)
	refused(t, s.Health(t.Context())[0].Err)
	untouched(t, server)

	if err := os.WriteFile(path, []byte(username+":wr0ng\n"+username+":"+password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	process, err := os.FindProcess(server.PID())
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Signal(syscall.SIGHUP); err != nil { // it reads the file again
		t.Fatal(err)
	}
	t.Run("M11 a node that takes the password now is found again", func(t *testing.T) {
		await.Until(t, "a node that is up", func() bool { return s.Available("k") })
		wants(t, s.Create(t.Context(), "k", nil, time.Hour), nil)
	})
}

// refused checks that an error says that credentials were refused, and no more
// of them.
func refused(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, memcached.ErrAuthentication) {
		t.Errorf("%v, want ErrAuthentication", err)
	}
	if err != nil && (!strings.Contains(err.Error(), "CLIENT_ERROR authentication failure") || strings.Contains(err.Error(), "wr0ng")) {
		t.Errorf("%v does not say what the node said, or has the password in it", err)
	}
}

// A node that is down is not one that refuses.
func TestNodeThatIsDownRefusesNobody(t *testing.T) {
	t.Parallel()
	server, cfg := transports["tcp with a password"](t)
	server.Stop()
	err := open(t, cfg).Delete(t.Context(), "k")
	wants(t, err, syscall.ECONNREFUSED)
	if errors.Is(err, memcached.ErrAuthentication) {
		t.Errorf("%v is ErrAuthentication", err)
	}
}

func TestNoPassword(t *testing.T) {
	t.Parallel()
	server, cfg := transports["tcp with a password"](t)
	cfg.DialContext = nil
	s := open(t, cfg)
	for name, call := range methods {
		err := call(t.Context(), s, "k", time.Hour)
		unknown(t, err)
		if !errors.Is(err, memcached.ErrAuthentication) || !strings.Contains(err.Error(), "memcached.Authenticated") {
			t.Errorf("%s: %v does not say why", name, err)
		}
	}
	untouched(t, server)
}

// A node that asks for no password must not keep the one that it is shown.
func TestPasswordThatNobodyAskedFor(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	s := open(t, memcached.Config{Nodes: []string{server.Addr()}, DialContext: authenticated(t, nil), Timeout: 5 * time.Second})
	wants(t, s.Create(t.Context(), "k", nil, time.Hour), nil)
	if n := server.Stat(t, "cmd_set"); n != 2 {
		t.Errorf("%d sets, want the password's and that of k", n)
	}
	if items := server.Dump(t); len(items) != 1 {
		t.Errorf("the node has %v, want k alone", items)
	}
	if _, _, err := s.Get(t.Context(), "authentication"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("what the password was sent under: %v", err)
	}
}

// What memcached's own file can say is accepted, to the last byte, by a real one.
func TestCredentialsThatAreTaken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ username, password string }{
		{"u", "p"}, {"user", ":pass:word:"}, {"ü", "pässwörd"}, {"u", strings.Repeat("p", 253)}, {"tab\tu", "\x7f\tp"}, {strings.Repeat("u", 253), "p"},
	} {
		t.Run(fmt.Sprintf("%.10q %.10q", test.username, test.password), func(t *testing.T) {
			t.Parallel()
			dial, err := memcached.Authenticated(nil, test.username, test.password)
			if err != nil {
				t.Fatal(err)
			}
			node := memcachedtest.Config{DialContext: dial}.Start(t, "-Y", file(t, []byte(test.username+":"+test.password+"\n")))
			s := open(t, memcached.Config{Nodes: []string{node.Addr()}, DialContext: dial, Timeout: 5 * time.Second})
			wants(t, s.Create(t.Context(), "k", nil, time.Hour), nil)
		})
	}
}

func TestCredentialsThatAreRefused(t *testing.T) {
	t.Parallel()
	const u, p = "memcached.Authenticated.username", "memcached.Authenticated.password"
	for _, test := range []struct {
		username, password string
		fields             []string
	}{
		{"", "s3cret", []string{u}},
		{"s3cret", "", []string{p}},
		{"", "", []string{u, p}},
		{"s3 cret", "s3cret", []string{u}},
		{"u:s3cret", "s3cret", []string{u}},
		{"s3cret:", " s3cret", []string{u, p}},
		{"u", "s3cret\n", []string{p}},
		{"u", "s3cret\r", []string{p}},
		{"u", "s3\x00cret", []string{p}},
		{"s3cret\r\nflush_all", "\r\ns3cret", []string{u, p}},
		{"s3cret", strings.Repeat("s3cret", 42), []string{p}}, // 258 bytes
		{"u", strings.Repeat("p", 254), []string{p}},
	} {
		t.Run(fmt.Sprintf("%.10q %.10q", test.username, test.password), func(t *testing.T) {
			t.Parallel()
			dial, err := memcached.Authenticated(nil, test.username, test.password)
			if got := fields(err); !slices.Equal(got, test.fields) {
				t.Errorf("mistakes in %q, want %q", got, test.fields)
			}
			if dial != nil {
				t.Error("a function beside the mistakes")
			}
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "cret") {
				t.Errorf("%v shows what it was given", err)
			}
		})
	}
}

// A porter is a node that says what its test has it say to who shows a password.
type porter struct {
	deaf    bool // does not even read what it is shown
	pause   time.Duration
	answers []string // one after another, each after the pause
	reads   func(b []byte)

	conn      net.Conn      // the porter's end
	done      chan struct{} // closed when it has said everything
	shown     string        // to it
	closed    bool          // the other end, by who dialed
	deadlines int           // that were set there
}

func (p *porter) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p.conn, p.done = server, make(chan struct{})
	if p.deaf {
		close(p.done)
	} else {
		go p.answer()
	}
	return &watched{client, p}, nil
}

func (p *porter) answer() {
	defer close(p.done)
	b := make([]byte, 4096)
	n, _ := p.conn.Read(b)
	p.shown = string(b[:n])
	for _, answer := range p.answers {
		<-time.After(p.pause)
		answer, hangsUp := strings.CutSuffix(answer, hangUp)
		if _, err := io.WriteString(p.conn, answer); err != nil {
			return
		}
		if hangsUp {
			p.conn.Close()
		}
	}
}

// A watched connection tells the porter what becomes of it.
type watched struct {
	net.Conn
	p *porter
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if w.p.reads != nil {
		w.p.reads(b[:n])
	}
	return n, err
}

func (w *watched) Close() error {
	w.p.closed = true
	return w.Conn.Close()
}

func (w *watched) SetDeadline(t time.Time) error {
	w.p.deadlines++
	return w.Conn.SetDeadline(t)
}

// authenticate shows the porter the password.
func (p *porter) authenticate(ctx context.Context, t *testing.T) (net.Conn, error) {
	t.Helper()
	conn, err := authenticated(t, p.dial)(ctx, "tcp", "porter.example:11211")
	if err != nil && strings.Contains(fmt.Sprintf("%v %+v", err, err), password) {
		t.Errorf("%v has the password in it", err)
	}
	if (conn == nil) != (err != nil) || p.closed != (err != nil) {
		t.Errorf("connection %v, closed: %v, error %v", conn, p.closed, err)
	}
	return conn, err
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &porter{pause: time.Millisecond, answers: []string{"S", "TORE", "D\r", "\nmore"}}
		ctx, cancel := context.WithCancel(t.Context())
		conn, err := p.authenticate(ctx, t)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if want := "set authentication 0 -1 19\r\n" + username + " " + password + "\r\n"; p.shown != want {
			t.Errorf("the node was shown %q, want %q", p.shown, want)
		}
		rest := make([]byte, 4)
		if _, err := io.ReadFull(conn, rest); err != nil || string(rest) != "more" {
			t.Errorf("behind the answer: %q, %v", rest, err)
		}
		cancel() // as who dials does with a context for dialing
		synctest.Wait()
		if p.deadlines != 0 {
			t.Error("a deadline was set")
		}
	})
}

func TestAuthenticationThatFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		answer string
		want   error  // nil: none of the others
		says   string // the error
	}{
		{"CLIENT_ERROR authentication failure\r\n", memcached.ErrAuthentication, `"CLIENT_ERROR authentication failure\r\n"`},
		{"CLIENT_ERROR bad authentication token format\r\n", memcached.ErrAuthentication, "token format"},
		{"CLIENT_ERROR who is " + password + "?\r\n", memcached.ErrAuthentication, "has the password in it"},
		{"ERROR\r\n", nil, `"ERROR\r\n"`},
		{"ERROR " + password + "\r\n", nil, "has the password in it"},
		{"SERVER_ERROR out of memory\r\n", nil, "out of memory"},
		{"NOT_STORED\r\n", nil, "NOT_STORED"},
		{"STORED\n", nil, `"STORED\n"`},
		{"STORED \r\n", nil, `"STORED \r\n"`},
		{"\r\nSTORED\r\n", nil, `"\r\n"`},
		{strings.Repeat("STORED", 1000) + "\r\n", nil, "more than 1024 bytes"},
		{hangUp, io.ErrUnexpectedEOF, "EOF"},
		{"STORED\r" + hangUp, io.ErrUnexpectedEOF, "EOF"},
		{"CLIENT_ERROR " + hangUp, io.ErrUnexpectedEOF, "EOF"},
	} {
		t.Run(fmt.Sprintf("%.60q", test.answer), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &porter{answers: []string{test.answer}}
				_, err := p.authenticate(t.Context(), t)
				for _, is := range []error{memcached.ErrAuthentication, io.ErrUnexpectedEOF} {
					if got, want := errors.Is(err, is), is == test.want; got != want {
						t.Errorf("%v is %q: %v, want %v", err, is, got, want)
					}
				}
				if err == nil || !strings.Contains(err.Error(), test.says) || !strings.HasPrefix(err.Error(), "authenticate tcp pipe: ") {
					t.Errorf("%v, want %q", err, test.says)
				}
			})
		})
	}
}

func TestAuthenticationOnAConnectionThatIsOver(t *testing.T) {
	t.Parallel()
	p := &porter{deaf: true}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := p.dial(ctx, network, address)
		p.conn.Close()
		return conn, err
	}
	_, err := authenticated(t, dial)(t.Context(), "tcp", "porter.example:11211")
	wants(t, err, io.ErrClosedPipe)
	if !p.closed {
		t.Error("the connection was not closed")
	}
}

func TestAuthenticationWithoutAConnection(t *testing.T) {
	t.Parallel()
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, errPlanted }
	conn, err := authenticated(t, dial)(t.Context(), "tcp", "porter.example:11211")
	if conn != nil || err != errPlanted {
		t.Errorf("%v, %v", conn, err)
	}
}

func TestContextEndsAuthentication(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]porter{
		"that is not read":     {deaf: true},
		"without an answer":    {},
		"with half an answer":  {answers: []string{"STORED"}},
		"with a slow answer":   {answers: strings.SplitAfter("STORED\r\n", ""), pause: 2 * time.Millisecond},
		"with an endless line": {answers: slices.Repeat([]string{"x"}, 1000), pause: time.Millisecond},
	} {
		for _, want := range []error{context.Canceled, context.DeadlineExceeded} {
			t.Run(fmt.Sprint(name, ": ", want), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					p := p
					end := cancelAfter
					if want == context.DeadlineExceeded {
						end = context.WithTimeout
					}
					ctx, cancel := end(t.Context(), 10*time.Millisecond)
					defer cancel()
					began := time.Now()
					_, err := p.authenticate(ctx, t)
					wants(t, err, want)
					if took := time.Since(began); took != 10*time.Millisecond {
						t.Errorf("it took %v, want 10ms", took)
					}
					<-p.done
				})
			})
		}
	}
}

// A context that ends with the last byte of the answer has spoilt the
// connection's deadline all the same.
func TestContextEndsWithTheAuthentication(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := &porter{answers: []string{"STORED\r\n"}, reads: func(b []byte) {
			if string(b) == "\n" {
				cancel()
				synctest.Wait()
			}
		}}
		_, err := p.authenticate(ctx, t)
		wants(t, err, context.Canceled)
	})
}

// Nor does the end of a TLS connection wait for its node.
func TestContextEndsAuthenticationOverTLS(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	cert := a.node(t)
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		defer close(end)
		dial := overTLS(a, func(conn net.Conn) {
			tlsNode(conn, cert).Handshake()
			<-end
		})
		ctx, cancel := cancelAfter(t.Context(), 10*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := authenticated(t, dial)(ctx, "tcp", "porter.example:11211")
		wants(t, err, context.Canceled)
		if took := time.Since(began); took != 10*time.Millisecond {
			t.Errorf("it took %v, want 10ms", took)
		}
	})
}
