package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

var (
	templates = template.Must(template.New("").Parse(strings.Replace(pageHTML, "<style>", "<style>"+pageCSS, 1)))

	// policy allows our own style, by its hash, and our own forms. Scripts,
	// frames, and everything from elsewhere are refused. The icon is an empty
	// data URL, which saves a request for one.
	policy = "default-src 'none'; style-src 'sha256-" + sha256Base64(pageCSS) +
		"'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

func sha256Base64(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// page is what the page shows. Grant is nil unless a token was just issued.
type page struct {
	Identifier string
	Session    description
	Grant      *grant
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
