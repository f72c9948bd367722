package chimw_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

// TestReadableParts shows everything that can be read out of a token, or made of
// it, by every carrier.
func TestReadableParts(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]option{"J15 nothing read out of a token opens anything": func(*session.Config, *chimw.Config) {}, "J15 nor with seal keys": sealed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, o, func(_ *session.Config, c *chimw.Config) { c.BodyField = "token" })
			tok, s := h.token("me")
			if got := body(t, h.serve(who, request("GET", "", header(tok)))); got != "me" {
				t.Fatalf("the token opens %q's session", got)
			}
			for what, part := range readable(t, tok, s.ID()) {
				for carrier, r := range map[string]*http.Request{
					"cookie": request("GET", "", "Cookie: session="+part),
					"header": request("GET", "", header(part)),
					"bearer": request("GET", "", "Authorization: Bearer "+part),
					"body":   request("POST", `{"token":"`+part+`"}`, "Content-Type: application/json"),
				} {
					if got := body(t, h.serve(who, r)); strings.Contains(got, "me") && what != "itself" || got == "me" && carrier == "cookie" {
						t.Errorf("%s by %s opens the session", what, carrier)
					}
				}
			}
		})
	}
}

func readable(t *testing.T, tok string, id session.ID) map[string]string {
	t.Helper()
	parts := strings.Split(tok, ".")
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	credential := func(secret []byte) string { return base64.RawURLEncoding.EncodeToString(append(id[:], secret...)) }
	readable := map[string]string{
		"itself": tok, "its header": parts[0], "its claims": parts[1], "its signature": parts[2],
		"the ID, encoded": encodeID(id), "the ID and zeros": credential(make([]byte, 32)), "the ID and the signature": credential(signature),
		"the ID and itself": credential(append(id[:], id[:]...)),
	}
	for _, part := range parts[:2] {
		text, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]any
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatal(err)
		}
		for name, value := range members {
			if text, ok := value.(string); ok {
				readable[name] = text
			}
		}
	}
	if readable["sid"] != id.String() {
		t.Fatal("the token has no sid: the test shows nothing")
	}
	return readable
}

// TestCookieIsNowhereElse looks for a cookie's secret in all that is answered.
func TestCookieIsNowhereElse(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]option{
		"C3 with signed tokens": func(_ *session.Config, c *chimw.Config) { c.RefreshTokens, c.Tokens = true, stale{c.Tokens} },
		"C3 with opaque tokens": opaque,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, o)
			gone := func(w http.ResponseWriter, r *http.Request) {
				h.serve(destroy, request("POST", "", "Cookie: "+r.Header.Get("Cookie")))
				put("late")(w, r)
			}
			cookie := given(t, h.serve(put("me"), request("POST", "")))
			for _, handler := range []http.HandlerFunc{who, put("you"), renew, h.issue, login, renew, who, gone} {
				res := h.serve(handler, request("POST", "", cookie))
				secrets := []string{cookie[len(cookie)-32:]}
				if len(cookies(res)) > 0 {
					cookie = given(t, res)
					secrets = append(secrets, cookie[len(cookie)-32:])
				}
				wantNowhereElse(t, res, secrets)
			}
		})
	}
}

func wantNowhereElse(t *testing.T, res *http.Response, secrets []string) {
	t.Helper()
	res.Header.Del("Set-Cookie")
	var b strings.Builder
	if err := res.Header.Write(&b); err != nil {
		t.Fatal(err)
	}
	b.WriteString(body(t, res))
	for _, secret := range secrets {
		if strings.Contains(b.String(), secret) {
			t.Errorf("the cookie's secret is in\n%s", b.String())
		}
	}
}

func TestTokenIsNotPrinted(t *testing.T) {
	t.Parallel()
	h := build(t)
	tok, err := h.mw.IssueToken(t.Context(), h.manager.New())
	if err != nil {
		t.Fatal(err)
	}
	if !tok.ExpiresAt().After(time.Now()) || (chimw.Token{}).Reveal() != "" || !(chimw.Token{}).ExpiresAt().IsZero() {
		t.Errorf("it expires at %v", tok.ExpiresAt())
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "token", tok)
	for _, v := range []any{tok, &tok, []any{tok}, struct{ t chimw.Token }{tok}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
		}
		log.Write(b)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&log, verb, v)
		}
	}
	t.Run("E2 whichever verb", func(t *testing.T) {
		for part := range strings.SplitSeq(tok.Reveal(), ".") {
			if strings.Contains(log.String(), part) || strings.Contains(log.String(), fmt.Sprintf("%x", part)) {
				t.Errorf("it shows in %s", &log)
			}
		}
	})
}
