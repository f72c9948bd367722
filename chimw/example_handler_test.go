package chimw_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/sessiontest"
)

// A handler is tested without any middleware: it is given a session as the
// middleware would give it one, and what it did is in there afterwards.
func TestVisit(t *testing.T) {
	t.Parallel()
	s := sessiontest.New(t)
	visits.Put(s, 41)
	r := httptest.NewRequest(http.MethodPost, "/visit", nil)
	w := httptest.NewRecorder()
	visit(w, r.WithContext(session.NewContext(r.Context(), s)))
	if n, _ := visits.Get(s); n != 42 || w.Body.String() != "visit 42" {
		t.Errorf("%d visits, and the handler says %q", n, w.Body)
	}
}
