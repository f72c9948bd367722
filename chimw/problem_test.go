package chimw_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

// The headers of a refusal share memory, but who adds to one changes that alone.
func TestRefusalsHeadersAreApart(t *testing.T) {
	t.Parallel()
	outer := func(w http.ResponseWriter, r *http.Request, p *chimw.Problem) {
		for _, name := range []string{"Vary", "Cache-Control", "Www-Authenticate"} {
			w.Header().Add(name, "x")
		}
		chimw.WriteProblem(w, r, p)
		w.Header().Add("Content-Type", "y")
	}
	h := build(t, func(_ *session.Config, c *chimw.Config) { c.ErrorHandler = outer })
	res := h.serve(func(http.ResponseWriter, *http.Request) {}, request("GET", "", header("made-up")))
	for name, want := range map[string]string{
		"Vary": "Cookie, X-Auth-Token, Authorization", "Cache-Control": "no-store", "Content-Type": "application/problem+json",
		"X-Content-Type-Options": "nosniff", "Www-Authenticate": `Bearer realm="session", error="invalid_token"`,
	} {
		if got := res.Header[name]; len(got) == 0 || got[0] != want || len(got) > 1 && got[1] != "x" {
			t.Errorf("%s: %q, want %q first", name, got, want)
		}
	}
}

// What is written by hand for most problems is what encoding/json makes of all.
func TestProblemDocument(t *testing.T) {
	t.Parallel()
	texts := []string{"", "Plain.", `"quoted"`, `back\slash`, "a\nline", "<b>&</b>", "ümlaut", "\x7f", "\xff", "tab\t", "\u2028"}
	for _, title := range texts {
		for _, detail := range texts {
			p := &chimw.Problem{Status: http.StatusTeapot, Title: title, Detail: detail}
			w := httptest.NewRecorder()
			chimw.WriteProblem(w, httptest.NewRequest("GET", "/", http.NoBody), p)
			want, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			if got := w.Body.String(); got != string(want)+"\n" {
				t.Errorf("%s, want %s", got, want)
			}
		}
	}
}
