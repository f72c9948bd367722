package chimw_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

// invented is a credential as good as one of ours, but for who made it.
func invented(t *testing.T) session.Credential {
	t.Helper()
	id := uuid.New()
	c, err := session.ParseCredential(base64.RawURLEncoding.EncodeToString(append(id[:], make([]byte, 32)...)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestInvented shows the server credentials that it did not issue.
func TestInvented(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		option option
		reads  int64 // for each
	}{
		"S3 without seal keys":  {func(*session.Config, *chimw.Config) {}, 1},
		"S3 S20 with seal keys": {sealed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, c.option, opaque)
			cred := invented(t)
			cookie := "Cookie: session=" + cred.Reveal()
			res := h.serve(who, request("GET", "", cookie))
			wantStatus(t, res, 200)
			wantNoCookie(t, res)
			wantStatus(t, h.serve(who, request("GET", "", header(cred.Reveal()))), 401)
			if reads, writes := h.store.reads.Load(), h.store.writes.Load(); reads != 2*c.reads || writes != 0 {
				t.Errorf("%d reads and %d writes, want %d and 0", reads, writes, 2*c.reads)
			}
			next := given(t, h.serve(put("me"), request("POST", "", cookie)))
			if len(next) != len(cookie) || strings.HasPrefix(next, cookie[:len("Cookie: session=")+21]) {
				t.Error("the invented ID was adopted")
			}
			if got := body(t, h.serve(who, request("GET", "", cookie))); got != "" {
				t.Errorf("the invented cookie opens %q's session", got)
			}
			if got := body(t, h.serve(who, request("GET", "", next))); got != "me" {
				t.Errorf("the new cookie opens %q's session", got)
			}
		})
	}
}

// TestMisspelled shows what is almost a live credential.
func TestMisspelled(t *testing.T) {
	t.Parallel()
	h := build(t, opaque)
	tok, s := h.token("me")
	text := s.Credential().Reveal()
	if tok != text {
		t.Fatal("an opaque token is not the credential: the test shows nothing")
	}
	before := h.store.reads.Load() + h.store.writes.Load()
	for name, bad := range map[string]string{
		"empty": "", "one less": text[:63], "one more": text + "A", "4 KiB": strings.Repeat("A", 4096), "twice": text + text,
		"NUL": text[:63] + "\x00", "space": text[:32] + " " + text[33:], "quotes": `"` + text + `"`, "padded": text + "=",
		"other alphabet": text[:62] + "+/", "escaped": text[:63] + "%41",
	} {
		t.Run("S4 "+name, func(t *testing.T) {
			if got := body(t, h.serve(who, request("GET", "", "Cookie: session="+bad))); got != "" {
				t.Errorf("the cookie opens %q's session", got)
			}
			wantStatus(t, h.serve(who, request("GET", "", header(bad))), 401)
			wantStatus(t, h.serve(who, request("GET", "", "Authorization: Bearer "+bad)), 401)
			if n := h.store.reads.Load() + h.store.writes.Load() - before; n != 0 {
				t.Errorf("%d store calls, want 0", n)
			}
		})
	}
}
