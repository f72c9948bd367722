package chimw_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
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

func TestProblems(t *testing.T) {
	t.Parallel()
	h := build(t)
	good, live := h.token("client")
	gone, goneSession := h.token("gone")
	goneSession.Destroy()
	if err := goneSession.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	unknown, _, err := h.signer.Sign("session", newID(t), live.Deadline())
	if err != nil {
		t.Fatal(err)
	}
	t.Run("E1 H5 H7 H8 the same for forged, revoked, unknown and garbage", func(t *testing.T) {
		var first string
		for what, tok := range map[string]string{"forged": flip(good), "revoked": gone, "unknown": unknown, "garbage": `", error="<script>`} {
			res := h.serve(who, request("GET", "", header(tok)))
			wantStatus(t, res, 401)
			wantHeader(t, res, "Content-Type", "application/problem+json")
			wantHeader(t, res, "WWW-Authenticate", `Bearer realm="session", error="invalid_token"`)
			wantHeader(t, res, "Cache-Control", "no-store")
			got := body(t, res)
			if first == "" {
				first = got
			}
			if got != first {
				t.Errorf("%s: body is %s, want %s", what, got, first)
			}
			var p chimw.Problem
			if err := json.Unmarshal([]byte(got), &p); err != nil || p.Status != 401 || p.Title != "Unauthorized" {
				t.Errorf("%s, %v", got, err)
			}
		}
	})
	t.Run("H3 H5 repeated", func(t *testing.T) {
		res := h.serve(who, request("GET", "", header(good), header(good)))
		wantStatus(t, res, 400)
		wantHeader(t, res, "WWW-Authenticate", `Bearer realm="session", error="invalid_request"`)
	})
	t.Run("H2 neither the URL nor a form", func(t *testing.T) {
		r := request("POST", "token="+good+"&access_token="+good, "Content-Type: application/x-www-form-urlencoded")
		r.URL.RawQuery = "token=" + good + "&access_token=" + good + "&X-Auth-Token=" + good
		if got := body(t, h.serve(who, r)); got != "" {
			t.Errorf("the session is %q's", got)
		}
	})
	t.Run("HEAD has no body", func(t *testing.T) {
		res := h.serve(who, request("HEAD", "", header("x")))
		wantStatus(t, res, 401)
		if got := body(t, res); got != "" {
			t.Errorf("body is %q", got)
		}
	})
}

func TestErrorStatus(t *testing.T) {
	t.Parallel()
	h := build(t)
	for name, c := range map[string]struct {
		err    error
		status int
	}{
		"unavailable":       {session.ErrUnavailable, 503},
		"gone":              {session.ErrGone, 409},
		"not found":         {session.ErrNotFound, 404},
		"cookie only":       {chimw.ErrCookieOnly, 403},
		"external":          {chimw.ErrExternal, 403},
		"too large":         {session.ErrTooLarge, 500},
		"anything else":     {errors.New("something internal"), 500},
		"a problem, itself": {&chimw.Problem{Status: 418, Title: "Teapot"}, 418},
	} {
		t.Run("E1 "+name, func(t *testing.T) {
			t.Parallel()
			res := h.serve(func(w http.ResponseWriter, r *http.Request) { h.mw.Error(w, r, c.err) }, request("GET", ""))
			wantStatus(t, res, c.status)
			if got := body(t, res); strings.Contains(got, "internal\"") || strings.Contains(got, "something") {
				t.Errorf("body is %s", got)
			}
			if !errors.Is(&chimw.Problem{Err: c.err}, c.err) {
				t.Error("a problem hides its cause from errors.Is")
			}
		})
	}
	if got := (&chimw.Problem{Title: "T"}).Error(); got != "chimw: T" {
		t.Errorf("Error is %q", got)
	}
	if got := (&chimw.Problem{Title: "T", Err: io.EOF}).Error(); got != "chimw: T: EOF" {
		t.Errorf("Error is %q", got)
	}
}

func TestErrorHandlerAnswers(t *testing.T) {
	t.Parallel()
	var got *chimw.Problem
	h := build(t, func(_ *session.Config, c *chimw.Config) {
		c.Realm = "my api"
		c.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, p *chimw.Problem) {
			got = p
			w.WriteHeader(p.Status)
			io.WriteString(w, "ours")
		}
	})
	res := h.serve(who, request("GET", "", header("x")))
	wantStatus(t, res, 401)
	wantHeader(t, res, "WWW-Authenticate", `Bearer realm="my api", error="invalid_token"`)
	if b := body(t, res); b != "ours" || got.Err == nil {
		t.Errorf("body is %q for %v", b, got)
	}
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
}

func TestNilAndZeroMiddlewaresFailClosed(t *testing.T) {
	t.Parallel()
	for name, mw := range map[string]*chimw.Middleware{"zero": new(chimw.Middleware), "nil": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &house{t: t, mw: mw}
			res := h.serve(func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") }, request("GET", ""))
			wantStatus(t, res, 500)
			if mw.Carrier(t.Context()) != chimw.None {
				t.Error("a carrier outside of a request")
			}
			mw.Forget(nil)
			rec := httptest.NewRecorder()
			mw.Error(rec, request("GET", ""), errors.New("x"))
			wantStatus(t, rec.Result(), 500)
		})
	}
}

func TestProblemIsTitledByItsStatus(t *testing.T) {
	t.Parallel()
	h := build(t)
	res := h.serve(func(w http.ResponseWriter, r *http.Request) {
		h.mw.Error(w, r, &chimw.Problem{Status: 418})
	}, request("GET", ""))
	wantStatus(t, res, 418)
	if got := body(t, res); got != `{"status":418,"title":"I'm a teapot"}`+"\n" {
		t.Errorf("body is %s", got)
	}
}

func TestProblemWithoutAnErrorsStatusIs500(t *testing.T) {
	t.Parallel()
	h := build(t)
	for _, p := range []*chimw.Problem{nil, {}, {Status: 200}} {
		wantStatus(t, h.serve(func(w http.ResponseWriter, r *http.Request) { h.mw.Error(w, r, p) }, request("GET", "")), 500)
	}
}
