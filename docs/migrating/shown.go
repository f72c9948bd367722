package migrating

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// concerned reports whether there is anything for the bridge to do.
func (b *Bridge) concerned(r *http.Request) bool {
	shown := r.CookiesNamed(b.oldName)
	if len(shown) == 0 || !time.Now().Before(b.cfg.Until) || b.embedded(r) {
		return false
	}
	for _, c := range shown[1:] {
		// As in chimw: a sibling domain may have set one, and their order says
		// nothing about whose is whose.
		if c.Value != shown[0].Value {
			b.report(r.Context(), session.Rejected, "several old cookies", nil)
			return false
		}
	}
	return true
}

// embedded reports whether another site's page embeds what is asked for. An old
// cookie that is SameSite=None comes with that, but the browser would refuse the
// new one, and still let the old one be taken away: any page could sign its
// visitors out. The same goes for what a frame of ours loads in such a page,
// which is same-origin; Chromium tells it by Sec-Fetch-Storage-Access, other
// browsers send no such cookies there. What says nothing comes from no browser,
// or from one that is too old to send third-party cookies unasked.
func (b *Bridge) embedded(r *http.Request) bool {
	if b.cookie.SameSite == http.SameSiteNoneMode {
		return false
	}
	h := r.Header
	if h.Get("Sec-Fetch-Mode") == "navigate" && h.Get("Sec-Fetch-Dest") == "document" {
		return false // a link: at the top level, both are accepted
	}
	return h.Get("Sec-Fetch-Site") == "cross-site" || h.Get("Sec-Fetch-Storage-Access") != ""
}

// withCookie replaces what a request's Cookie lines say of the new cookie.
func (b *Bridge) withCookie(lines []string, cookie string) []string {
	pair, _, _ := strings.Cut(cookie, ";")
	pairs := []string{pair}
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			pair = strings.Trim(pair, " \t")
			if name, _, _ := strings.Cut(pair, "="); name != b.cookie.Name {
				pairs = append(pairs, pair)
			}
		}
	}
	return []string{strings.Join(pairs, "; ")}
}

// censored drops an error's text if it quotes the old cookie: some stores name
// the key that they failed for.
func (b *Bridge) censored(err error, r *http.Request) error {
	c, _ := r.Cookie(b.oldName)
	if err == nil || c == nil || c.Value == "" || !strings.Contains(err.Error(), c.Value) {
		return err
	}
	if errors.Is(err, ErrUnreadable) {
		return ErrUnreadable
	}
	return errCensored
}
