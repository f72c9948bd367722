package memcached

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// ErrAuthentication means that a node did not take the username and password
// that [Authenticated] showed it, or that it wants some and was shown none. The
// error of the call that found out is one, and so are those of later calls while
// the node counts as down, and of session.NodeDown.
var ErrAuthentication = errors.New("authentication refused")

// errNoPassword is what a node answers to each command until it was shown one.
var errNoPassword = fmt.Errorf("%w: it wants a username and a password (memcached.Authenticated)", ErrAuthentication)

const (
	// maxCredentialBytes is what a line of memcached's file has room for (-Y,
	// "username:password") in version 1.6, without the colon.
	maxCredentialBytes = 254

	// maxAnswerBytes bounds the answer to an authentication. Memcached's have
	// some 40.
	maxAnswerBytes = 1024
)

// Authenticated returns a function for [Config.DialContext] that makes
// connections by dial and shows them a username and a password, as nodes want
// that run with a file of them (memcached -Y; protocol.txt, "Authentication").
// Dial may be that of a tls.Dialer, and should be: over tcp without TLS, whoever
// can read along has the password. Nil means that of a zero net.Dialer.
//
// Neither may be empty, nor have a space, CR, LF or NUL in it, nor the username
// a colon; together they have at most 254 bytes. All that is wrong is returned,
// each a *[session.ConfigError] that shows neither, joined.
//
// The function is safe for concurrent use if dial is. What it returns when a node
// refuses is [ErrAuthentication]; no error of its own has the password in it. A
// node that asks for none takes any, and stores nothing.
func Authenticated(dial func(ctx context.Context, network, address string) (net.Conn, error), username, password string) (func(ctx context.Context, network, address string) (net.Conn, error), error) {
	if err := checkCredentials(username, password); err != nil {
		return nil, err
	}
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if err := authenticate(ctx, conn, username, password); err != nil {
			err = &net.OpError{Op: "authenticate", Net: network, Addr: conn.RemoteAddr(), Err: err}
			_ = hangUp(conn)
			return nil, err
		}
		return conn, nil
	}, nil
}

// checkCredentials refuses what no node can accept, because neither its file nor
// its parser has a way to say it, and what would be another command.
func checkCredentials(username, password string) error {
	var errs []error
	wrong := func(what, reason string) {
		errs = append(errs, &session.ConfigError{Field: "memcached.Authenticated." + what, Reason: reason})
	}
	word := func(what, s string) {
		if s == "" {
			wrong(what, "must not be empty")
		}
		if strings.ContainsAny(s, " \r\n\x00") {
			wrong(what, "must not have a space, CR, LF or NUL in it, also not at its end")
		}
	}
	word("username", username)
	if strings.Contains(username, ":") {
		wrong("username", "must not have a colon in it, where it ends in memcached's file (-Y)")
	}
	word("password", password)
	if len(username)+len(password) > maxCredentialBytes {
		wrong("password", "must not have more than 254 bytes together with the username, for memcached's file (-Y) has no room for more")
	}
	return errors.Join(errs...)
}

// authenticate shows a new connection the credentials. It sets no deadline that
// outlives it, and reads nothing beyond the answer.
func authenticate(ctx context.Context, conn net.Conn, username, password string) error {
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	// The key is of no meaning, nor is the expiry; but to a node that asks for
	// no password this is a plain set, and of one that has expired when it
	// arrives nothing can be read.
	_, err := fmt.Fprintf(conn, "set authentication 0 -1 %d\r\n%s %s\r\n", len(username)+1+len(password), username, password)
	var answer string
	if err == nil {
		answer, err = readLine(conn)
	}
	if !stop() {
		return ctx.Err() // whatever came: the connection's deadline has passed
	}
	if err != nil || answer == "STORED\r\n" {
		return err
	}
	refused := strings.HasPrefix(answer, "CLIENT_ERROR ")
	if strings.Contains(answer, password) {
		answer = "(what it says has the password in it)"
	}
	if refused {
		return fmt.Errorf("%w: %q", ErrAuthentication, answer)
	}
	return fmt.Errorf("unexpected answer %q", answer)
}

// readLine reads a line with its end, byte by byte: what comes after it is an
// answer to somebody else.
func readLine(r io.Reader) (string, error) {
	line := make([]byte, 0, maxAnswerBytes)
	for len(line) < maxAnswerBytes {
		n := len(line)
		if _, err := io.ReadFull(r, line[n:n+1]); errors.Is(err, io.EOF) {
			return "", io.ErrUnexpectedEOF
		} else if err != nil {
			return "", err
		}
		if line = line[:n+1]; line[n] == '\n' {
			return string(line), nil
		}
	}
	return "", fmt.Errorf("an answer of more than %d bytes", maxAnswerBytes)
}
