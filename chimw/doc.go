// Package chimw gives the handlers of a chi router, or of any net/http server,
// the session of the client that asks: browsers show theirs by a cookie, API
// clients by a header, on the same routes.
//
//	mw, err := chimw.New(chimw.Config{Manager: manager, Tokens: signer})
//	if err != nil {
//		log.Fatal(err)
//	}
//	r := chi.NewRouter()
//	r.Use(mw.Handler)
//	r.Post("/visit", visit)
//	r.With(mw.RequireSession).Post("/account", account)
//
// Handlers neither know nor care which kind of client asks:
//
//	func visit(w http.ResponseWriter, r *http.Request) {
//		s := session.FromContext(r.Context())
//		n := visits.Update(s, func(n int) int { return n + 1 })
//		fmt.Fprintf(w, "visit %d", n)
//	}
//
// The manager is a *[session.Manager], the signer a *tokens.Signer; the package's
// first example has all of it.
//
// # Which session a request gets
//
// A live cookie decides, and no header is looked at then. Otherwise a token in
// the X-Auth-Token or Authorization header decides, and where there is none, a
// token in a JSON body, if Config.BodyField names its field. A token that
// doesn't hold is answered with 401, never with an anonymous session. So is a
// header that is repeated, or that differs from the other, with 400; where a
// header shows a token, the body is not looked at. A cookie that doesn't hold is
// as good as none, and so are two of its name that differ, one of which somebody
// else may have planted; both are reported. A store that fails is answered with
// 503, and no cookie is touched.
//
// A request that shows no session gets an empty one, which costs nothing until
// a handler puts something into it; it goes back by a cookie then, unless the
// handler calls [Middleware.IssueToken].
//
// # Several managers on one route
//
// Middlewares can be nested, each with a manager of another Name, and so with a
// cookie of its own. Each also needs a Header of its own, and NoBearer all but
// one: a token that is shown where it is not known is refused, not passed on.
// [session.FromContext] returns the inner one's session, and a manager's own
// FromContext its. New's example (MountedTwice) has two.
//
// # When it is committed
//
// Before the response's first byte, or when the handler returns. If that fails,
// the client gets the error instead of the handler's response. Any status
// commits, a refusal by the handler too: there is no rollback. Changes to
// values after the first byte are committed when the handler returns; what
// needs a new cookie or token then is too late, and reported. A handler that
// panics through the middleware commits nothing.
//
// # Long connections
//
// The commit comes before a connection is upgraded too, so a handler changes the
// session before the upgrade. Libraries that are given the response's headers,
// such as gorilla/websocket, are to be given w.Header() itself, which holds the
// cookie by the time they write it. Afterwards changes are committed by
// [session.Session.Commit]: ErrGone then means that the client has signed out.
//
// # Other sites
//
// Requests that another site's page could have caused are judged by
// http.CrossOriginProtection: unsafe ones, and those that upgrade a connection,
// unless a token in a header decided on their session.
//
// # Lifetimes and concurrency
//
// A [Middleware] lasts as long as its program, has nothing to close, and serves
// any number of requests at the same time. A handler's goroutines may share its
// session; what they change after the handler has returned is written only if
// they call [session.Session.Commit] themselves.
//
// # Compatibility
//
// What clients hold outlives a rollout: cookies' names and values, headers' names
// and tokens do not change within a major version. Problems' texts may.
package chimw
