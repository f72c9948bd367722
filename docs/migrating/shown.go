package migrating

import (
	"errors"
	"net/http"
	"strings"
	"time"
)

// concerned reports whether there is anything for the bridge to do.
func (b *Bridge) concerned(r *http.Request) bool {
	_, err := r.Cookie(b.oldName)
	return err == nil && time.Now().Before(b.cfg.Until)
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
