package browser_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/coatcheck/coatcheck/internal/await"
)

// A description is what GET /session says.
type description struct {
	ID      string
	Carrier string
	Subject string
	Visits  int
}

// ask is an API client: it shows a token, and knows no cookies.
func ask(t *testing.T, origin, token string) (status int, d description) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, origin+"/session", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", token)
	resp, err := (&http.Client{Timeout: await.Limit}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&d); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, d
}
