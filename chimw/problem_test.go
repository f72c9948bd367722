package chimw_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coatcheck/coatcheck/chimw"
)

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
