package chimw_test

import (
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/tokens"
)

func TestBodyCutShort(t *testing.T) {
	t.Parallel()
	h := build(t, func(_ *session.Config, c *chimw.Config) { c.BodyField = "token" })
	tok, _ := h.token("me")
	text := `{"filler":"` + strings.Repeat("x", 200) + `","token":"` + tok + `"}`
	t.Run("by a limit outside", func(t *testing.T) {
		r := request("POST", text, "Content-Type: application/json")
		r.Body = http.MaxBytesReader(nil, r.Body, 100)
		wantStatus(t, h.serve(put("anonymous"), r), 413)
	})
	t.Run("by the client", func(t *testing.T) {
		r := request("POST", "", "Content-Type: application/json")
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(text[:100]), failing{}))
		res := h.serve(put("anonymous"), r)
		wantStatus(t, res, 400)
		wantHeader(t, res, "WWW-Authenticate", "")
		wantNoCookie(t, res)
	})
	t.Run("it is handed on intact otherwise", func(t *testing.T) {
		r := request("POST", text, "Content-Type: application/json")
		var got []byte
		wantStatus(t, h.serve(func(_ http.ResponseWriter, r *http.Request) { got, _ = io.ReadAll(r.Body) }, r), 200)
		if string(got) != text {
			t.Errorf("the handler reads %q", got)
		}
	})
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestBodyOfManyMembersCostsLittle(t *testing.T) {
	h := build(t, func(_ *session.Config, c *chimw.Config) { c.BodyField = "token" })
	text := "{" + strings.Repeat(`"a":1,`, 5000) + strings.Repeat(`"\u0074okeX":1,"\t":1,`, 1000) + `"z":{"token":"x"}}`
	spent := func(lines ...string) uint64 {
		r := request("POST", text, lines...)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		h.serve(who, r)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	if n := spent("Content-Type: application/json") - spent(); n > uint64(6*len(text)) {
		t.Errorf("a body of %d bytes costs %d", len(text), n)
	}
}

func TestSpellingsOfTheField(t *testing.T) {
	t.Parallel()
	h := build(t, func(_ *session.Config, c *chimw.Config) { c.BodyField = "token" })
	tok, _ := h.token("me")
	for name, c := range map[string]struct {
		body   string
		status int
		owner  string
	}{
		"escaped":            {`{"tok\u0065n":"` + tok + `"}`, 200, "me"},
		"escaped, twice":     {`{"tok\u0065n":"` + tok + `","token":"` + tok + `"}`, 400, ""},
		"white space":        {" {\n\t\"a\" : [ { \"token\" : \"x\" } , \"}\" ] ,\r\n \"token\" : \"" + tok + "\" } \n", 200, "me"},
		"braces in strings":  {`{"a":"}],{\"token\":\"","token":"` + tok + `"}`, 200, "me"},
		"an empty object":    {`{}`, 200, ""},
		"a number":           {`7`, 200, ""},
		"a string":           {`"token"`, 200, ""},
		"before white space": {"{\"token\"\n:\r\n\"" + tok + "\"\n}", 200, "me"},
		"escaped otherwise":  {`{"t\/oken":"x","to\u006ben":"` + tok + `","\ud83d\ude00":1,"\\token":2}`, 200, "me"},
		"as the last":        {`{"a":{},"b":[],"c":null,"token":"` + tok + `"}`, 200, "me"},
		"as a number":        {`{"token":7}`, 400, ""},
		"with a mark":        {"\ufeff" + `{"token":"` + tok + `"}`, 400, ""},
		"and more":           {`{"token":"` + tok + `"} x`, 400, ""},
		"and more JSON":      {`{"token":"` + tok + `"}{}`, 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := h.serve(who, request("POST", c.body, "Content-Type: application/json; x"))
			wantStatus(t, res, c.status)
			if got := body(t, res); c.status == 200 && got != c.owner {
				t.Errorf("the session is %q's, want %q", got, c.owner)
			}
		})
	}
}

// FuzzBody compares the walker with encoding/json.
func FuzzBody(f *testing.F) {
	h := build(f, func(_ *session.Config, c *chimw.Config) { c.BodyField, c.Tokens = "token", shows{} })
	for _, seed := range []string{`{"token":"x"}`, `{"a":[1,{"b":"\"}"}],"token":"y"}`, `[]`, `{"tok\u0065n":"z"}`, `{"token":1}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, ok := topLevelByDecoder(text)
		res := h.serve(who, request("POST", text, "Content-Type: application/json"))
		got := res.Header.Get("X-Shown")
		if ok && res.StatusCode == 401 != (want != nil) {
			t.Errorf("%q: status %d, token %v (%s)", text, res.StatusCode, want, got)
		}
	})
}

// shows is a signer to whom every token is forged.
type shows struct{ chimw.Tokens }

func (shows) Verify(string, string) ([16]byte, error) { return [16]byte{}, tokens.ErrSignature }

// topLevelByDecoder finds the field as encoding/json's decoder does. ok is
// false where the two need not agree: a field twice, or one that is no text.
func topLevelByDecoder(text string) (token *string, ok bool) {
	var members map[string]json.RawMessage
	if !json.Valid([]byte(text)) || json.Unmarshal([]byte(text), &members) != nil {
		return nil, false
	}
	raw, present := members["token"]
	if !present {
		return nil, true
	}
	if json.Unmarshal(raw, &token) != nil || token == nil || strings.Count(text, `"`) < 4 {
		return nil, false
	}
	return token, strings.Count(text, "token") == 1
}
