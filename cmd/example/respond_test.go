package main_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/chimw"
	example "github.com/coatcheck/coatcheck/cmd/example"
	"github.com/coatcheck/coatcheck/internal/child"
	"github.com/coatcheck/coatcheck/session"
)

// A failure has one line in the log: its own, unless it was an event, which has.
func TestFailuresAreLogged(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		status int
		err    error
		logged bool
	}{
		"a store that failed":          {503, fmt.Errorf("%w: %w", session.ErrUnavailable, errors.New("no answer")), false},
		"a caller whose time was over": {503, fmt.Errorf("%w: %w", session.ErrUnavailable, context.DeadlineExceeded), true},
		"something else unavailable":   {503, errors.New("no fingerprint"), true},
		"a mistake of the program":     {500, session.ErrTooLarge, true},
		"no cause at all":              {502, nil, true},
		"a refusal":                    {401, errors.New("no session"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, w := child.NewJournal(), httptest.NewRecorder()
			p := &chimw.Problem{Status: tt.status, Title: http.StatusText(tt.status), Err: tt.err}
			example.Refuse(slog.New(slog.NewTextHandler(log, nil)), w, httptest.NewRequest(http.MethodPost, "/visits", http.NoBody), p)
			want := ""
			if tt.logged {
				want = fmt.Sprintf("level=WARN msg=failed method=POST path=/visits status=%d error=", tt.status)
			}
			if text := log.String(); w.Code != tt.status || strings.Contains(text, "msg=failed") != tt.logged || !strings.Contains(text, want) {
				t.Errorf("status %d, want %d; the log has %q, want %q", w.Code, tt.status, text, want)
			}
		})
	}
}
