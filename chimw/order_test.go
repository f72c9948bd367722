package chimw_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/coatcheck/coatcheck/session"
)

// TestOrderOfMiddlewares is about what the order of chi's middlewares and this one decides.
func TestOrderOfMiddlewares(t *testing.T) {
	t.Parallel()
	crash := func(_ http.ResponseWriter, r *http.Request) {
		owner.Put(session.FromContext(r.Context()), "me")
		panic("the handler's")
	}
	wait := func(_ http.ResponseWriter, r *http.Request) {
		owner.Put(session.FromContext(r.Context()), "me")
		<-r.Context().Done()
	}
	for name, c := range map[string]struct {
		outside, inside chain
		page            http.HandlerFunc
		status          int
		kept            string
	}{
		"C13 Recoverer outside: nothing is committed": {chain{quiet, middleware.Recoverer}, nil, crash, 500, ""},
		"C13 Recoverer inside: an answer like any":    {nil, chain{quiet, middleware.Recoverer}, crash, 500, "me"},
		"C13 Timeout outside: an answer like any":     {chain{middleware.Timeout(time.Millisecond)}, nil, wait, 504, "me"},
		"C13 Timeout inside: an answer like any":      {nil, chain{middleware.Timeout(time.Millisecond)}, wait, 504, "me"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t)
			r := chi.NewRouter()
			r.Use(c.outside...)
			r.Use(h.mw.Handler)
			r.With(c.inside...).Get("/page", c.page)
			h.pages(r, "")
			browser := serving(t, "http", r)(true)
			browser.want(c.status, "", "GET", "/page")
			browser.want(200, c.kept, "GET", "/who")
		})
	}
}

func TestCompressedAnswers(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("the handler's. ", 100)
	for name, c := range map[string]struct{ outside, inside chain }{
		"outside": {chain{middleware.Compress(5)}, nil},
		"inside":  {nil, chain{middleware.Compress(5)}},
	} {
		h := build(t)
		r := chi.NewRouter()
		r.Use(c.outside...)
		r.Use(h.mw.Handler)
		r.With(c.inside...).Handle("/text", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			owner.Put(session.FromContext(r.Context()), r.FormValue("who"))
			w.Header().Set("Content-Type", "text/plain")
			io.WriteString(w, text)
		}))
		client := serving(t, "http", r)(false)
		t.Run("C13 K1 "+name+": compressed, with the cookie", func(t *testing.T) {
			res := client.do("GET", "/text?who=me", "Accept-Encoding: gzip")
			if res.status != 200 || res.header.Get("Content-Encoding") != "gzip" || len(res.header["Set-Cookie"]) != 1 {
				t.Errorf("%d %v", res.status, res.header)
			}
			if vary := strings.Join(res.header["Vary"], ", "); !strings.Contains(vary, "Accept-Encoding") || !strings.Contains(vary, "Cookie") {
				t.Errorf("Vary is %q", vary)
			}
			z, err := gzip.NewReader(strings.NewReader(res.body))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(z); string(got) != text || err != nil {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
		t.Run("E1 "+name+": an error can be read", func(t *testing.T) {
			res := client.do("GET", "/text?who="+strings.Repeat("x", maxValue), "Accept-Encoding: gzip")
			if res.status != 500 || res.header.Get("Content-Encoding") != "" || !strings.HasPrefix(res.body, `{"status":500`) || strings.Count(res.body, "}") != 1 {
				t.Errorf("%d %v %q", res.status, res.header, res.body)
			}
		})
	}
}

// TestTimeoutHandlerOutside cuts the answer off while the handler goes on.
func TestTimeoutHandlerOutside(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(*session.Session){
		"S7 a logout that comes too late for the answer is no less one": (*session.Session).Destroy,
		"S6 a renewal that comes too late leaves no live credential":    (*session.Session).Renew,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t)
			answered, over := make(chan struct{}), make(chan struct{})
			inner := h.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				<-r.Context().Done()
				<-answered
				do(session.FromContext(r.Context()))
				if _, err := io.WriteString(w, "in vain"); err != http.ErrHandlerTimeout {
					t.Errorf("the handler's Write says %v", err)
				}
			}))
			outer := http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(over)
				inner.ServeHTTP(w, r)
			}), 500*time.Millisecond, "too late")
			cookie := cookieOf(h.session("me"))
			client := serving(t, "http", outer)(false)
			res := client.do("POST", "/", cookie)
			if res.status != 503 || res.body != "too late" || len(res.header["Set-Cookie"]) > 0 {
				t.Errorf("%d %v %s", res.status, res.header, res.body)
			}
			close(answered)
			<-over
			if got := body(t, h.serve(who, request("GET", "", cookie))); got != "" {
				t.Errorf("the cookie still opens %q's session", got)
			}
		})
	}
}

func TestTimeoutHandlerInside(t *testing.T) {
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
		if rec.Code != 503 && rec.Code != 409 { // whichever of the two was first
			t.Errorf("status is %d", rec.Code)
		}
	}
}
