package chimw_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/session"
)

// TestCommitOutcomes checks what a commit can end in, before and after the first
// byte was sent.
func TestCommitOutcomes(t *testing.T) {
	t.Parallel()
	ends := map[string]struct {
		do     func(h *house, cookie string, s *session.Session)
		down   func(op, key string) bool
		status int  // if nothing was sent
		told   bool // whether the client is given a new cookie, if nothing was sent
		lost   bool // whether changes are lost, if something was sent
	}{
		"done":        {func(_ *house, _ string, s *session.Session) { count.Put(s, 1) }, nil, 200, false, false},
		"new ID":      {func(_ *house, _ string, s *session.Session) { s.Renew() }, nil, 200, true, true},
		"unavailable": {func(_ *house, _ string, s *session.Session) { count.Put(s, 1) }, writes, 503, false, true},
		"too large": {func(_ *house, _ string, s *session.Session) {
			owner.Put(s, strings.Repeat("x", 2*maxValue))
		}, nil, 500, false, true},
		"unencodable": {func(_ *house, _ string, s *session.Session) {
			session.Key[any]("odd").Put(s, func() {})
		}, nil, 500, false, true},
		"gone": {func(h *house, cookie string, s *session.Session) {
			h.serve(destroy, request("POST", "", cookie))
			count.Put(s, 1)
		}, nil, 409, false, true},
	}
	for name, end := range ends {
		for _, sent := range []bool{false, true} {
			t.Run(map[bool]string{false: "C13 M5 M8 S8 before the first byte: ", true: "S19 after it: "}[sent]+name, func(t *testing.T) {
				t.Parallel()
				h := build(t)
				cookie := cookieOf(h.session("me"))
				res := h.serve(func(w http.ResponseWriter, r *http.Request) {
					if sent {
						io.WriteString(w, "first")
					}
					end.do(h, cookie, session.FromContext(r.Context()))
					h.store.fail(end.down)
					if !sent {
						io.WriteString(w, "first")
					}
				}, request("POST", "", cookie))
				h.store.fail(nil)
				status, told := end.status, end.told
				if sent {
					status, told = 200, false
				}
				wantStatus(t, res, status)
				if got := len(cookies(res)) > 0; got != told {
					t.Errorf("Set-Cookie is %q", cookies(res))
				}
				if got := body(t, res); (got == "first") != (status == 200) {
					t.Errorf("body is %q", got)
				}
				if got := h.reported(session.Dropped, "late change"); got != (sent && end.lost) {
					t.Errorf("reported as lost: %v", got)
				}
			})
		}
	}
}
