package chimw_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/tokens"
)

func TestSwitchingProtocolsIsTheResponse(t *testing.T) {
	t.Parallel()
	h := build(t)
	t.Run("C13 101 commits", func(t *testing.T) {
		rec := httptest.NewRecorder()
		h.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			owner.Put(session.FromContext(r.Context()), "me")
			w.WriteHeader(http.StatusSwitchingProtocols)
			if h.store.writes.Load() != 1 || len(w.Header()["Set-Cookie"]) != 1 {
				t.Error("101 went out uncommitted")
			}
		})).ServeHTTP(rec, request("GET", ""))
	})
}

func TestNoHijackAfterAFailedCommit(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.store.fail(everything)
	url, client := start(t, "HTTP/1.1", h.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		owner.Put(session.FromContext(r.Context()), "me")
		for range 2 {
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				conn.Close()
				t.Error("the connection was given away")
			}
		}
		if err := http.NewResponseController(w).Flush(); err == nil {
			t.Error("the discarded response was flushed")
		}
		if _, err := io.Copy(w, strings.NewReader("x")); err == nil {
			t.Error("the discarded body was taken")
		}
		if _, err := io.WriteString(w, "x"); err == nil {
			t.Error("the discarded body was taken")
		}
		owner.Put(session.FromContext(r.Context()), "again") // nothing is tried twice
	})))
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	wantStatus(t, res, 503)
	if h.reported(session.Dropped, "late change") {
		t.Error("the failed commit was made again")
	}
}

func TestBearerLines(t *testing.T) {
	t.Parallel()
	h := build(t)
	tok, _ := h.token("me")
	bearer := "Authorization: Bearer " + tok
	for name, c := range map[string]struct {
		lines  []string
		status int
	}{
		"H3 twice the same":     {[]string{bearer, bearer}, 400},
		"H3 beside a Basic one": {[]string{bearer, "Authorization: Basic eDp5"}, 400},
		"H4 two others":         {[]string{"Authorization: Basic eDp5", "Authorization: Digest x"}, 200},
		"H1 two spaces":         {[]string{"Authorization: Bearer  " + tok}, 200},
		"H1 no token":           {[]string{"Authorization: Bearer"}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantStatus(t, h.serve(who, request("GET", "", c.lines...)), c.status)
		})
	}
}

func TestIssueThenRenew(t *testing.T) {
	t.Parallel()
	h := build(t)
	res := h.serve(func(_ http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		if _, err := h.mw.IssueToken(r.Context(), s); err != nil {
			t.Error(err)
		}
		s.Renew()
	}, request("POST", "", cookieOf(h.session("me"))))
	given(t, res) // it came by cookie, and goes back so
}

func TestOpaqueTokenOfItsOwnSession(t *testing.T) {
	t.Parallel()
	h := build(t, func(_ *session.Config, c *chimw.Config) { c.Tokens = nil })
	tok, _ := h.token("client")
	res := h.serve(func(w http.ResponseWriter, r *http.Request) {
		again, err := h.mw.IssueToken(r.Context(), session.FromContext(r.Context()))
		if err != nil {
			t.Error(err)
		}
		io.WriteString(w, again.Reveal())
	}, request("POST", "", header(tok)))
	if got := body(t, res); got != tok {
		t.Error("the token's own session has another token")
	}
}

func TestOrdinaryRequestsReportNothing(t *testing.T) {
	t.Parallel()
	external, err := tokens.NewExternal(tokens.ExternalConfig{Key: tokens.GenerateKey(), Verify: verifyExternal})
	if err != nil {
		t.Fatal(err)
	}
	h := build(t, func(_ *session.Config, c *chimw.Config) { c.External = external })
	write := func(w http.ResponseWriter, r *http.Request) {
		put("me")(w, r)
		io.WriteString(w, "body")
	}
	first := h.serve(write, request("POST", ""))
	writes := h.store.writes.Load()
	h.serve(write, request("POST", "", header("external-good")))
	if n := h.store.writes.Load() - writes; n != 1 {
		t.Errorf("%d writes for an external client's first use, want 1", n)
	}
	h.serve(login, request("POST", "", given(t, first)))
	res := h.serve(func(w http.ResponseWriter, r *http.Request) {
		_, err := h.mw.IssueToken(r.Context(), session.FromContext(r.Context()))
		if !errors.Is(err, chimw.ErrExternal) {
			t.Errorf("error is %v", err)
		}
		h.mw.Error(w, r, err)
	}, request("POST", "", header("external-good")))
	wantStatus(t, res, 403)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events {
		if e.Kind == session.Dropped {
			t.Errorf("reported: %+v", e)
		}
	}
}

func TestReservedHeaders(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"authorization", "Set-Cookie", "Vary", "Host", "accept", "Accept-Language", "content-type", "Sec-Fetch-Site", "Origin", "If-Match"} {
		if _, err := chimw.New(chimw.Config{Header: name}); err == nil || !strings.Contains(err.Error(), "chimw.Config.Header") {
			t.Errorf("%s is not reported in %v", name, err)
		}
	}
}

func TestFailedCommitAndHeaders(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.store.fail(writes)
	rec := httptest.NewRecorder()
	rec.Header().Set("X-Request-Id", "7")
	rec.Header().Set("Set-Cookie", "outer=1")
	rec.Header().Set("Surrogate-Control", "max-age=60")
	h.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		put("me")(w, r)
		for _, name := range []string{"X-Accel-Redirect", "X-Sendfile", "Hx-Redirect", "Authentication-Info", "CDN-Cache-Control", "X-Secret"} {
			w.Header().Set(name, "1")
		}
		w.Header().Add("Set-Cookie", "inner=1")
		w.Header().Set("Vary", "Accept")
		w.Header().Set("Access-Control-Allow-Origin", "https://app.example")
		io.WriteString(w, "x")
	})).ServeHTTP(rec, request("POST", ""))
	res := rec.Result()
	wantStatus(t, res, 503)
	for _, name := range []string{"X-Accel-Redirect", "X-Sendfile", "Hx-Redirect", "Authentication-Info", "CDN-Cache-Control", "X-Secret", "Surrogate-Control"} {
		wantHeader(t, res, name, "")
	}
	wantHeader(t, res, "X-Request-Id", "7")
	wantHeader(t, res, "Access-Control-Allow-Origin", "https://app.example")
	wantHeader(t, res, "Vary", "Cookie, X-Auth-Token, Authorization")
	if got := cookies(res); len(got) != 1 || got[0] != "outer=1" {
		t.Errorf("Set-Cookie is %q", got)
	}
}

func TestPanicInTheCommit(t *testing.T) {
	t.Parallel()
	h := build(t)
	cookie := cookieOf(h.session("me"))
	runs := 0
	panicking := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		count.Update(s, func(int) int {
			if runs++; runs > 1 {
				panic("f ran again")
			}
			return 1
		})
		h.serve(put("you"), request("POST", "", cookie)) // a conflict
		io.WriteString(w, "success")
	})
	rec := httptest.NewRecorder()
	h.mw.Handler(recoverer(panicking)).ServeHTTP(rec, request("POST", "", cookie))
	wantStatus(t, rec.Result(), 500)
	if strings.Contains(rec.Body.String(), "success") {
		t.Error("it reports success")
	}
}

func TestBodyOfManyMembers(t *testing.T) {
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

func TestZeroMiddlewareErrors(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	new(chimw.Middleware).Error(rec, request("GET", ""), errors.New("x"))
	wantStatus(t, rec.Result(), 500)
	h := build(t)
	res := h.serve(func(w http.ResponseWriter, r *http.Request) {
		h.mw.Error(w, r, &chimw.Problem{Status: 418})
	}, request("GET", ""))
	wantStatus(t, res, 418)
	if got := body(t, res); got != `{"status":418,"title":"I'm a teapot"}`+"\n" {
		t.Errorf("body is %s", got)
	}
}

// failingSigner can't sign.
type failingSigner struct{ chimw.Tokens }

func (failingSigner) Sign(string, [16]byte, time.Time) (string, time.Time, error) {
	return "", time.Time{}, errors.New("no key")
}

func TestSigningFails(t *testing.T) {
	t.Parallel()
	h := build(t)
	broken, err := chimw.New(chimw.Config{Manager: h.manager, Tokens: failingSigner{h.signer}, InsecureCookie: true})
	if err != nil {
		t.Fatal(err)
	}
	tok, _ := h.token("client")
	h.mw = broken
	res := h.serve(renew, request("POST", "", header(tok)))
	wantStatus(t, res, 500)
	wantHeader(t, res, "X-Auth-Token", "")
	if _, err := broken.IssueToken(t.Context(), h.manager.New()); err == nil {
		t.Error("issued a token")
	}
}

func TestPush(t *testing.T) {
	t.Parallel()
	h := build(t)
	rec := httptest.NewRecorder()
	wrapped(h.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := w.(http.Pusher).Push("/style.css", nil); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("error is %v", err)
		}
		if err := http.NewResponseController(w).EnableFullDuplex(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("error is %v", err)
		}
	})), func(http.ResponseWriter) http.ResponseWriter {
		return struct {
			http.ResponseWriter
			http.Pusher
		}{rec, pushable{}}
	}).ServeHTTP(rec, request("GET", ""))
}

func TestVaryIsEachResponsesOwn(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.serve(func(w http.ResponseWriter, _ *http.Request) { w.Header()["Vary"][0] = "Accept-Encoding" }, request("GET", ""))
	t.Run("K1 whatever another response did with its", func(t *testing.T) {
		wantHeader(t, h.serve(who, request("GET", "")), "Vary", "Cookie, X-Auth-Token, Authorization")
	})
}

func TestReissueThatFailsIsNoFailure(t *testing.T) {
	t.Parallel()
	h := build(t)
	tok, _ := h.token("client")
	broken, err := chimw.New(chimw.Config{
		Manager: h.manager, Tokens: stale{failingSigner{h.signer}}, InsecureCookie: true, RefreshTokens: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.mw = broken
	res := h.serve(who, request("GET", "", header(tok)))
	wantStatus(t, res, 200)
	wantHeader(t, res, "X-Auth-Token", "")
}

func TestForgetIsNotCached(t *testing.T) {
	t.Parallel()
	h := build(t)
	t.Run("K2 a cookie taken back", func(t *testing.T) {
		res := h.serve(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=60")
			h.mw.Forget(w)
		}, request("GET", ""))
		wantExpired(t, res)
		wantHeader(t, res, "Cache-Control", "no-store")
	})
	t.Run("K2 no token after the first byte", func(t *testing.T) {
		h.serve(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "x")
			if _, err := h.mw.IssueToken(r.Context(), h.manager.New()); !errors.Is(err, session.ErrLate) {
				t.Errorf("error is %v", err)
			}
		}, request("GET", ""))
	})
}

func TestErrorReplacesTheAnswer(t *testing.T) {
	t.Parallel()
	h := build(t)
	url, client := start(t, "HTTP/1.1", h.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "2")
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("ETag", "x")
		h.mw.Error(w, r, session.ErrUnavailable)
	})))
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	wantStatus(t, res, 503)
	wantHeader(t, res, "ETag", "")
	if got := body(t, res); !strings.HasPrefix(got, `{"status":503`) {
		t.Errorf("body is %q", got)
	}
	var none *chimw.Problem
	for _, p := range []*chimw.Problem{none, {}, {Status: 200}} {
		wantStatus(t, h.serve(func(w http.ResponseWriter, r *http.Request) { h.mw.Error(w, r, p) }, request("GET", "")), 500)
	}
}

func TestDestroyAfterAFailedCommit(t *testing.T) {
	t.Parallel()
	h := build(t)
	cookie := cookieOf(h.session("me"))
	t.Run("S7 it holds", func(t *testing.T) {
		res := h.serve(func(w http.ResponseWriter, r *http.Request) {
			s := session.FromContext(r.Context())
			owner.Put(s, strings.Repeat("x", 20000))
			io.WriteString(w, "x")
			s.Destroy()
		}, request("POST", "", cookie))
		wantStatus(t, res, 500)
		if got := body(t, h.serve(who, request("GET", "", cookie))); got != "" {
			t.Errorf("the cookie opens %q's session", got)
		}
	})
}

func TestPanickingErrorHandler(t *testing.T) {
	t.Parallel()
	h := build(t, func(_ *session.Config, c *chimw.Config) {
		c.ErrorHandler = func(http.ResponseWriter, *http.Request, *chimw.Problem) { panic("the error handler's") }
	})
	h.store.fail(writes)
	rec := httptest.NewRecorder()
	h.mw.Handler(recoverer(put2)).ServeHTTP(rec, request("POST", ""))
	wantStatus(t, rec.Result(), 500)
}

var put2 = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	owner.Put(session.FromContext(r.Context()), "me")
	io.WriteString(w, "success")
})

func TestTimeoutInside(t *testing.T) {
	t.Parallel()
	h := build(t)
	for range 50 {
		release := make(chan struct{})
		inner := http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-release
			s := session.FromContext(r.Context())
			_, _ = h.mw.IssueToken(r.Context(), s)
			h.mw.Error(w, r, session.ErrGone)
		}), time.Nanosecond, "too slow")
		go close(release)
		rec := httptest.NewRecorder()
		h.mw.Handler(inner).ServeHTTP(rec, request("POST", ""))
	}
}

func TestOpaqueTokenTwice(t *testing.T) {
	t.Parallel()
	h := build(t, func(_ *session.Config, c *chimw.Config) { c.Tokens = nil })
	h.serve(func(_ http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		a, err1 := h.mw.IssueToken(r.Context(), s)
		b, err2 := h.mw.IssueToken(r.Context(), s)
		if err1 != nil || err2 != nil || a.Reveal() != b.Reveal() {
			t.Errorf("%v, %v", err1, err2)
		}
	}, request("POST", ""))
}
