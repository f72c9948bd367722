package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

var (
	templates = template.Must(template.New("").Funcs(template.FuncMap{
		// Whole elements, because a template that knows what is in them takes
		// the comments out, and another hash would be needed.
		"style":  func() template.HTML { return template.HTML("<style>" + pageCSS + "</style>") },  //nolint:gosec // ours
		"script": func() template.HTML { return template.HTML("<script>" + pageJS + "</script>") }, //nolint:gosec // ours
		"mib":    func(bytes uint64) uint64 { return bytes >> 20 },
		"ticket": ticketNumber,
		"span":   span,
	}).Parse(pageHTML))

	// policy allows our own style and script, by their hashes, and our own
	// forms. Requests by scripts, frames, and everything from elsewhere are
	// refused. The icon is an empty data URL, which saves a request for one.
	policy = "default-src 'none'; script-src 'sha256-" + sha256Base64(pageJS) + "'; style-src 'sha256-" + sha256Base64(pageCSS) +
		"'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

func sha256Base64(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// ticketNumber is short enough to be read from a ticket: the identifier's
// beginning.
func ticketNumber(identifier string) string {
	return strings.ToUpper(identifier[:min(4, len(identifier))])
}

// span writes a duration in words, if it is whole in a unit, such as 30 seconds.
func span(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		switch n := d / u.unit; {
		case d%u.unit != 0:
			continue
		case n == 1:
			return "1 " + u.name
		default:
			return fmt.Sprint(int64(n), " ", u.name, "s")
		}
	}
	return d.String()
}

// page is what the page shows. Handlers fill in the second half, showPage the
// first.
type page struct {
	Identifier string
	Session    description
	Now        time.Time
	Idle       time.Duration
	Sessions   *sessionList // nil if nobody is signed in, or it can't be read
	Nodes      []nodeReport // nil for the embedded store
	Header     string
	Forgeries  any

	Grant        *grant // nil unless a token was just issued
	Curl, HTTPie string
	TokenOnly    bool // the session began with that token
	Forgery      string
	Kind         string   // of the forgery, "" for a token that somebody tried
	Outcome      *outcome // nil unless a token was just tried
}

// showPage answers with the page. The session is committed first: its clock
// should show what this very request has made of its idle deadline.
func (a *app) showPage(w http.ResponseWriter, r *http.Request, status int, p page) {
	ctx, s := r.Context(), session.FromContext(r.Context())
	id, err := identify(ctx, s)
	if err == nil {
		err = s.Commit(ctx)
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	p.Identifier, p.Session, p.Idle, p.Header, p.Forgeries = id, a.describe(ctx, s), a.idle, a.header, forgeries
	if p.TokenOnly {
		p.Session.Carrier = "token" // there is no cookie
	}
	if p.Forgery == "" {
		p.Forgery, p.Kind = a.forger.forge(r.URL.Query().Get("forgery"))
	}
	if s.Subject() != "" {
		p.Sessions, _ = listSessions(ctx, s) // the page says so if there is none; the failure was observed
	}
	if a.nodes.health != nil {
		p.Nodes = a.nodes.report(ctx)
	}
	p.Now = time.Now().UTC()
	a.render(w, r, status, "page", p)
}

// render answers with one of the templates in page.html.
func (a *app) render(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		a.log.ErrorContext(r.Context(), "page", "template", name, "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "same-origin") // not "no-referrer": forms would then say "Origin: null", and be refused
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client is gone: nobody to tell
}
