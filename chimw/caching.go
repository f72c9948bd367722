package chimw

import (
	"net/http"
	"slices"
	"strings"
)

// tellCaches keeps a response with a credential or token out of all caches, and
// one that was built on a live session out of shared ones. Refusals are no-store,
// too: see refuse.
func (x *exchange) tellCaches(h http.Header, told bool) {
	switch {
	case told || x.issued || x.mw.cookie.said(h): // by Forget
		h["Cache-Control"] = []string{"no-store"}
		dropSharedCaching(h)
	case x.live || x.session.Stored():
		keepPrivate(h)
	}
}

// appendVary names the headers that were, or could have been, consulted, beside
// those that are named already. room is memory for the line, if there is any.
func (mw *Middleware) appendVary(h http.Header, room *[1]string) {
	lines := h["Vary"]
	if len(lines) == 0 {
		if room == nil {
			room = new([1]string)
		}
		room[0] = mw.varyLine
		h["Vary"] = room[:]
		return
	}
	if len(lines) == 1 && lines[0] == mw.varyLine {
		return
	}
	for _, name := range mw.vary {
		if !slices.ContainsFunc(lines, func(line string) bool { return hasDirective(line, name) || hasDirective(line, "*") }) {
			lines = append(lines, name)
		}
	}
	h["Vary"] = lines
}

func hasDirective(line, name string) bool {
	for part := range strings.SplitSeq(line, ",") {
		if strings.EqualFold(strings.Trim(part, " \t"), name) {
			return true
		}
	}
	return false
}

// keepPrivate keeps a response that was built on a live session out of shared
// caches (RFC 9111 3.5), whatever the handler allowed them.
func keepPrivate(h http.Header) {
	dropSharedCaching(h)
	said := strings.Join(h["Cache-Control"], ",")
	if said == "" || strings.Contains(said, `"`) {
		// With a quoted argument, what looks like a directive may be none.
		h["Cache-Control"] = []string{"no-cache, private"}
		return
	}
	var kept []string
	private := false
	for part := range strings.SplitSeq(said, ",") {
		part = strings.Trim(part, " \t")
		name, _, limited := strings.Cut(strings.ToLower(part), "=")
		switch name = strings.TrimRight(name, " \t"); {
		case name == "public", name == "s-maxage", name == "", name == "private" && limited:
			continue
		}
		private = private || strings.EqualFold(part, "private") || strings.EqualFold(part, "no-store")
		kept = append(kept, part)
	}
	if !private {
		kept = append(kept, "private")
	}
	h["Cache-Control"] = []string{strings.Join(kept, ", ")}
}

// dropSharedCaching removes what would tell a shared cache otherwise than
// Cache-Control does: targeted fields (RFC 9213) and what preceded them.
func dropSharedCaching(h http.Header) {
	for name := range h {
		switch canonical := http.CanonicalHeaderKey(name); {
		case strings.HasSuffix(canonical, "-Cache-Control"), canonical == "Surrogate-Control", canonical == "Edge-Control", canonical == "X-Accel-Expires":
			delete(h, name)
		}
	}
}
