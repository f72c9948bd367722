package chimw

import (
	"net/http"
	"strings"
)

// shown is what a request offers as its token.
type shown struct {
	token    string
	present  bool
	conflict bool // repeated, or one thing here and another there: RFC 6750 3.1
}

// readHeaders looks for a token in both headers.
func (mw *Middleware) readHeaders(h http.Header) (s shown) {
	if mw.cfg.NoHeader {
		return s
	}
	for _, v := range h[mw.cfg.Header] {
		s.add(v)
	}
	if !mw.cfg.NoBearer {
		lines := h["Authorization"]
		for _, line := range lines {
			if token, ok := bearer(line); ok {
				s.add(token)
				s.conflict = s.conflict || len(lines) > 1
			}
		}
	}
	s.conflict = s.conflict || len(h[mw.cfg.Header]) > 1
	return s
}

func (s *shown) add(token string) {
	s.conflict = s.conflict || s.present && token != s.token
	s.token, s.present = token, true
}

// bearer returns the token of an Authorization header of that scheme, whose
// name has no case (RFC 9110 11.1). Another scheme is no token.
func bearer(line string) (token string, ok bool) {
	scheme, token, _ := strings.Cut(line, " ")
	return strings.TrimLeft(token, " "), strings.EqualFold(scheme, "Bearer")
}
