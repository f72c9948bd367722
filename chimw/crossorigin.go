package chimw

import (
	"net/http"

	"github.com/coatcheck/coatcheck/session"
)

// crossOrigin refuses what another site's page may have caused: of all requests
// that no header's token decides on, and before the store is asked if possible;
// see choose. A request to upgrade a connection is a GET, but opens a channel that
// a page can write to and read from: it is judged as if it were unsafe. id is what
// the cookie names.
func (mw *Middleware) crossOrigin(r *http.Request, id session.ID) *Problem {
	if len(r.Header["Upgrade"]) > 0 {
		unsafe := *r
		unsafe.Method = http.MethodPost
		r = &unsafe
	}
	err := mw.cfg.CrossOrigin.Check(r)
	if err == nil {
		return nil
	}
	mw.reject(r.Context(), id, reasonCrossOrigin, err)
	p := newProblem(http.StatusForbidden, err)
	p.Detail = "The request was sent by another site."
	return p
}
