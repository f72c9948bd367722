package chimw

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// exchange is one request and its response.
type exchange struct {
	mw       *Middleware
	session  *session.Session
	carrier  Carrier
	external bool

	// mu guards what follows: an inner http.TimeoutHandler answers while its
	// handler goes on.
	mu sync.Mutex

	live     bool       // the request came with a live session
	shown    session.ID // which the client holds a credential or token for
	token    string     // what it showed, if RefreshTokens might replace it
	viaToken bool       // the session goes back by a token, not by a cookie
	issued   bool       // the handler's answer holds a token
	refused  *Problem   // the error that is the answer already
	deadline time.Time  // of the session, as the client was last told

	outside http.Header // what the response said before the handler
	vary    [1]string
	context requestContext
	writer  writer
}

// requestContext carries the exchange beside the session.
type requestContext struct {
	context.Context
	x *exchange
}

func (c *requestContext) Value(key any) any {
	if mw, ok := key.(*Middleware); ok && mw == c.x.mw {
		return c.x
	}
	return c.Context.Value(key)
}

func (mw *Middleware) exchange(ctx context.Context) *exchange {
	if mw == nil {
		return nil
	}
	x, _ := ctx.Value(mw).(*exchange)
	return x
}
