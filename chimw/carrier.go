package chimw

import "context"

// A Carrier is where a request showed its session. Its zero value is none of
// those below.
type Carrier string

// The carriers. None stands for a request that showed no live session.
const (
	None   Carrier = "none"
	Cookie Carrier = "cookie"
	Header Carrier = "header"
	Body   Carrier = "body"
)

// token reports whether the session came by a token rather than a cookie.
func (c Carrier) token() bool { return c == Header || c == Body }

// Carrier returns which carrier decided on the request's session. It is None
// outside of the middleware.
func (mw *Middleware) Carrier(ctx context.Context) Carrier {
	if x := mw.exchange(ctx); x != nil {
		return x.carrier
	}
	return None
}
