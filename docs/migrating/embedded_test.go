package migrating_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/docs/migrating"
	"github.com/coatcheck/coatcheck/session"
)

// TestEmbedded: what another site's page embeds is left alone. Browsers send an
// old cookie that is SameSite=None with it, refuse the new one, and would let
// the old one be taken away.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	l := ofGorilla("", newCookieStore())
	if set := ask(l.app, "POST", "/login", nil).header.Get("Set-Cookie"); !strings.Contains(set, "SameSite=None") {
		t.Fatalf("not what this is about: %s", set)
	}
	link := []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}
	for name, c := range map[string]struct {
		header []string
		moved  bool
	}{
		"image":           {[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, false},
		"frame":           {[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, false},
		"within a frame":  {[]string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Sec-Fetch-Storage-Access", "active"}, false},
		"site alone":      {[]string{"Sec-Fetch-Site", "cross-site"}, false},
		"link":            {link, true},
		"our own page":    {[]string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, true},
		"sibling":         {[]string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, true},
		"says nothing":    {nil, true},
		"typed by a user": {[]string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, l, inMemory())
			cookies := l.login()
			got := ask(s.app, "GET", "/", cookies, c.header...)
			if c.moved {
				want(t, got, 200, alice)
				return
			}
			want(t, got, 200, anonymous)
			untouched(t, got)
			want(t, ask(s.app, "GET", "/", cookies, link...), 200, alice)
		})
	}
}

// TestEmbeddedOnPurpose: a new cookie that is SameSite=None, too, is accepted
// there, and an application that lives in others' pages has no other chance.
func TestEmbeddedOnPurpose(t *testing.T) {
	t.Parallel()
	l := ofGorilla("", newCookieStore())
	s := newSite(t, l, inMemory())
	mw, err := chimw.New(chimw.Config{Manager: s.manager, SameSite: http.SameSiteNoneMode, Partitioned: true})
	if err != nil {
		t.Fatal(err)
	}
	bridge, err := migrating.New(migrating.Config{
		Manager: s.manager, Middleware: mw, Store: s.store, Key: key,
		Old: l.source, Copy: l.copy, Until: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	app := mw.Handler(bridge.Handler(http.HandlerFunc(s.whoami)))
	got := ask(app, "GET", "/", l.login(), "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe")
	want(t, got, 200, alice)
}

// TestSeveralOldCookies: of two that differ, a sibling domain may have planted
// one. Neither opens anything, and both stay.
func TestSeveralOldCookies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, l library) {
		s := newSite(t, l, inMemory())
		mine, planted := l.login(), l.login()
		if mine[0].Value == planted[0].Value {
			t.Fatal("one cookie")
		}
		got := ask(s.app, "GET", "/", append(planted, mine...))
		want(t, got, 200, anonymous)
		untouched(t, got)
		if !s.events.has(session.Rejected, "several old cookies") {
			t.Errorf("events: %+v", s.events.list())
		}
		want(t, ask(s.app, "GET", "/", append(mine, mine...)), 200, alice) // the same twice
	})
}
