package migrating_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
)

// TestSpelling: however a client spells an old cookie that the old library takes
// for the same, it is the same session: a logout holds for all of them.
func TestSpelling(t *testing.T) {
	t.Parallel()
	t.Run("scs over a column without case", func(t *testing.T) {
		t.Parallel()
		sm := newSCS()
		sm.Store = loose{sm.Store}
		l := ofSCS(sm)
		cookies := l.login()
		v := cookies[0].Value
		holds(t, l, cookies, []string{strings.ToUpper(v), strings.ToLower(v), `"` + v + ` "`})
	})
	t.Run("CookieStore", func(t *testing.T) {
		t.Parallel()
		store := newCookieStore()
		l := ofGorilla("", store)
		tried := 0
		for pad := range 3 { // whose inner base64 grows by 4, so that the last group of the outer one has 1, 2 or 3 bytes
			w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "https://shop.example/", nil)
			s, _ := store.Get(r, "shop")
			s.Values["user"], s.Values["cart"], s.Values["pad"] = "alice", "coat scarf", strings.Repeat("xxx", pad)
			if err := s.Save(r, w); err != nil {
				t.Fatal(err)
			}
			cookies := w.Result().Cookies()
			others := respelt(cookies[0].Value)
			tried += len(others)
			holds(t, l, cookies, others)
		}
		if tried == 0 {
			t.Error("no other spelling was tried")
		}
	})
}

// holds fails if another spelling of a cookie opens anything after a logout.
func holds(t *testing.T, l library, cookies []*http.Cookie, spellings []string) {
	t.Helper()
	s := newSite(t, l, inMemory())
	first := ask(s.app, "GET", "/", cookies)
	want(t, first, 200, alice)
	want(t, ask(s.app, "POST", "/logout", first.set), 200, "")
	for _, spelling := range spellings {
		got := ask(s.app, "GET", "/", nil, "Cookie", l.cookie+"="+spelling)
		want(t, got, 200, anonymous)
	}
	if n := s.store.notes.Load(); n != 1 {
		t.Errorf("taken over %d times", n)
	}
}

// respelt are the other texts that base64 decodes to the same bytes.
func respelt(v string) (others []string) {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	raw, _ := base64.URLEncoding.DecodeString(v)
	text := strings.TrimRight(v, "=")
	for _, digit := range digits {
		other := text[:len(text)-1] + string(digit) + v[len(text):]
		if b, err := base64.URLEncoding.DecodeString(other); err == nil && bytes.Equal(b, raw) && other != v {
			others = append(others, other)
		}
	}
	return others
}

// loose is a store whose column compares as many databases' do by default:
// without case, and without spaces at the end.
type loose struct{ scs.Store }

func (s loose) Find(token string) ([]byte, bool, error) { return s.Store.Find(collated(token)) }
func (s loose) Delete(token string) error               { return s.Store.Delete(collated(token)) }
func (s loose) Commit(token string, b []byte, expiry time.Time) error {
	return s.Store.Commit(collated(token), b, expiry)
}

func collated(token string) string { return strings.ToLower(strings.TrimRight(token, " ")) }
