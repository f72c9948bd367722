package upgrades_test

import (
	"context"
	"net/http"
	"strings"
	"time"

	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"

	"github.com/coatcheck/coatcheck/internal/await"
)

// conn is either end of a websocket.
type conn interface {
	say(text string) error
	hear() (string, error)
	close()
}

// library is a websocket library. Neither checks origins here: that the
// middleware does so is what is tested.
type library struct {
	name   string
	accept func(w http.ResponseWriter, r *http.Request) (conn, error)
	dial   func(c *client, path string) (conn, *http.Response, error)
}

var libraries = []library{
	{"coder", acceptCoder, dialCoder},
	{"gorilla", acceptGorilla, dialGorilla},
}

type coderConn struct {
	*coder.Conn
	ctx    context.Context
	cancel context.CancelFunc
}

func newCoderConn(c *coder.Conn) conn {
	ctx, cancel := context.WithTimeout(context.Background(), await.Limit)
	return &coderConn{c, ctx, cancel}
}

func acceptCoder(w http.ResponseWriter, r *http.Request) (conn, error) {
	c, err := coder.Accept(w, r, &coder.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return nil, err
	}
	return newCoderConn(c), nil
}

func dialCoder(c *client, path string) (conn, *http.Response, error) {
	own, res, err := coder.Dial(c.t.Context(), c.site.url+path, &coder.DialOptions{HTTPClient: c.http, HTTPHeader: c.header})
	if err != nil {
		return nil, res, err
	}
	return newCoderConn(own), res, nil
}

func (c *coderConn) say(text string) error {
	return c.Write(c.ctx, coder.MessageText, []byte(text))
}

func (c *coderConn) hear() (string, error) {
	_, b, err := c.Read(c.ctx)
	return string(b), err
}

func (c *coderConn) close() {
	c.cancel()
	c.CloseNow()
}

type gorillaConn struct{ *gorilla.Conn }

// acceptGorilla hands over w.Header() itself, rather than a header of its own:
// gorilla hijacks the connection first and writes the header after, and the
// middleware commits the session in between.
func acceptGorilla(w http.ResponseWriter, r *http.Request) (conn, error) {
	return upgradeGorilla(w, r, w.Header())
}

func upgradeGorilla(w http.ResponseWriter, r *http.Request, header http.Header) (conn, error) {
	u := gorilla.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	c, err := u.Upgrade(w, r, header)
	if err != nil {
		return nil, err
	}
	c.SetReadDeadline(time.Now().Add(await.Limit))
	return gorillaConn{c}, nil
}

func dialGorilla(c *client, path string) (conn, *http.Response, error) {
	d := gorilla.Dialer{
		Jar:             c.http.Jar,
		TLSClientConfig: c.http.Transport.(*http.Transport).TLSClientConfig,
	}
	own, res, err := d.DialContext(c.t.Context(), "wss"+strings.TrimPrefix(c.site.url, "https")+path, c.header)
	if err != nil {
		return nil, res, err
	}
	own.SetReadDeadline(time.Now().Add(await.Limit))
	return gorillaConn{own}, res, nil
}

func (c gorillaConn) say(text string) error {
	return c.WriteMessage(gorilla.TextMessage, []byte(text))
}

func (c gorillaConn) hear() (string, error) {
	_, b, err := c.ReadMessage()
	return string(b), err
}

func (c gorillaConn) close() { c.Close() }
