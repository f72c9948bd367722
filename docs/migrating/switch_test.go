package migrating_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gorilla/sessions"

	"github.com/coatcheck/coatcheck/docs/migrating"
	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/session"
)

// TestSwitch follows a browser from the old application into the new one.
func TestSwitch(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, l library) {
		s := newSite(t, l, inMemcached(t))
		b := newBrowser(t)
		before, after := b.serve(l.app), b.serve(s.app)
		b.do("POST", before+"/login")

		got := b.do("GET", after+"/")
		want(t, got, 200, alice)
		if got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("Cache-Control: %q", got.header.Get("Cache-Control"))
		}
		cookies := b.cookies(after)
		if cookies[newCookie] == "" || len(cookies) != 1 {
			t.Errorf("the browser has %v", cookies)
		}
		got = b.do("GET", after+"/account/1") // by the new cookie alone
		want(t, got, 200, alice)
		untouched(t, got)
		if n := len(s.live("alice")); n != 1 || s.store.notes.Load() != 1 {
			t.Errorf("%d sessions, %d notes", n, s.store.notes.Load())
		}
		want(t, b.do("POST", after+"/logout"), 200, "")
		want(t, b.do("GET", after+"/"), 200, anonymous)
	})
}

// TestRollback: the old application finds its sessions as they were, and with
// KeepCookie the browser still has the cookie for it.
func TestRollback(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, l library) {
		s := newSite(t, l, inMemcached(t), func(c *migrating.Config) { c.KeepCookie = true })
		b := newBrowser(t)
		before, after := b.serve(l.app), b.serve(s.app)
		b.do("POST", before+"/login")
		shown := b.cookies(before)[l.cookie]
		want(t, b.do("GET", after+"/"), 200, alice)
		if b.cookies(after)[l.cookie] != shown {
			t.Error("the old cookie is not what it was")
		}
		want(t, b.do("GET", before+"/"), 200, alice) // a process that is still old
		want(t, b.do("GET", after+"/"), 200, alice)

		// The switch is settled: the old cookie goes, and the new session stays.
		settled := newSite(t, l, s.store)
		want(t, b.do("GET", b.serve(settled.app)+"/"), 200, alice)
		if cookies := b.cookies(after); cookies[newCookie] == "" || len(cookies) != 1 {
			t.Errorf("the browser has %v", cookies)
		}
		if n := len(s.live("alice")); n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}

// readOnly is an old store that is not to be written to.
type readOnly struct {
	scs.Store
	t      *testing.T
	writes bool
}

func (s *readOnly) Commit(token string, b []byte, expiry time.Time) error {
	if !s.writes {
		s.t.Error("committed")
	}
	return s.Store.Commit(token, b, expiry)
}

func (s *readOnly) Delete(token string) error {
	s.t.Error("deleted")
	return s.Store.Delete(token)
}

// TestOnlyRead: whatever becomes of the new session, the old store is not written to.
func TestOnlyRead(t *testing.T) {
	t.Parallel()
	through := func(t *testing.T, l library, cookies []*http.Cookie) {
		t.Helper()
		s := newSite(t, l, inMemory())
		first := ask(s.app, "GET", "/", cookies)
		want(t, first, 200, alice)
		want(t, ask(s.app, "GET", "/", append(cookies, first.set...)), 200, alice)
		want(t, ask(s.app, "POST", "/logout", append(cookies, first.set...)), 200, "")
		want(t, ask(s.app, "GET", "/", cookies), 200, anonymous)
	}
	t.Run("scs", func(t *testing.T) {
		t.Parallel()
		sm := newSCS()
		old := &readOnly{Store: sm.Store, t: t, writes: true}
		sm.Store = old
		l := ofSCS(sm)
		cookies := l.login()
		old.writes = false
		through(t, l, cookies)
	})
	t.Run("FilesystemStore", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		l := ofGorilla("", sessions.NewFilesystemStore(dir, []byte("an authentication key for tests.")))
		cookies := l.login()
		before := list(t, dir)
		through(t, l, cookies)
		if after := list(t, dir); after != before || len(before) < 100 {
			t.Errorf("before:\n%s\nafter:\n%s", before, after)
		}
	})
}

// list is what a folder holds, and since when.
func list(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all += fmt.Sprintln(e.Name(), info.ModTime(), string(text))
	}
	return all
}

// TestParallel: the requests of a page that is loaded right after the switch
// all find the user, in one session, and none of their changes is lost.
func TestParallel(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, l library) {
		const requests = 20
		s := newSite(t, l, inMemcached(t))
		cookies := l.login()
		replies := make([]reply, requests)
		await.Together(requests, func(i int) { replies[i] = ask(s.app, "GET", fmt.Sprint("/account/", i), cookies) })
		first := replies[0].issued()
		for _, got := range replies {
			want(t, got, 200, alice)
			if c := got.issued(); c == "" || c != first {
				t.Errorf("cookies: %v", got.set)
			}
		}
		if n := s.count(first); n != requests {
			t.Errorf("%d of %d changes", n, requests)
		}
		if n := len(s.live("alice")); n != 1 || s.store.notes.Load() != 1 {
			t.Errorf("%d sessions, %d notes", n, s.store.notes.Load())
		}
		if n := s.bridge.Turns(); n != 0 {
			t.Errorf("%d turns are left", n)
		}
	})
}

// TestTwoProcesses: of two that take over at the same moment one counts, and
// what the other made is ended.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, l library) {
		var both sync.WaitGroup
		both.Add(2)
		together := func(c *migrating.Config) {
			carry := c.Copy
			c.Copy = func(r *http.Request, s *session.Session) error {
				both.Done()
				both.Wait()
				return carry(r, s)
			}
		}
		store := inMemcached(t)
		one, other := newSite(t, l, store, together), newSite(t, l, store, together)
		cookies := l.login()
		replies := make([]reply, 2)
		var wg sync.WaitGroup
		wg.Go(func() { replies[0] = ask(one.app, "GET", "/account/1", cookies) })
		wg.Go(func() { replies[1] = ask(other.app, "GET", "/account/2", cookies) })
		wg.Wait()
		for _, got := range replies {
			want(t, got, 200, alice)
		}
		if c := replies[0].issued(); c == "" || c != replies[1].issued() {
			t.Errorf("cookies: %v, %v", replies[0].set, replies[1].set)
		}
		if n := len(one.live("alice")); n != 1 || store.notes.Load() != 2 {
			t.Errorf("%d sessions, %d attempts at a note", n, store.notes.Load())
		}
	})
}

// TestNewID: nothing that the client showed is part of what it gets.
func TestNewID(t *testing.T) {
	t.Parallel()
	l := ofSCS(newSCS())
	s := newSite(t, l, inMemory())
	invented := &http.Cookie{Name: newCookie, Value: "AAAAAAAAQACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
	theme := &http.Cookie{Name: "theme", Value: "dark"}
	got := ask(s.app, "GET", "/id", append(l.login(), invented, theme))
	if c := got.issued(); c == "" || c == invented.Value || len(got.text) != 36 {
		t.Errorf("%q: %v", got.text, got.set)
	}
	want(t, ask(s.app, "GET", "/cookies", append(l.login(), invented, theme)), 200, newCookie+" session theme ")
}

// TestWriters: at the switch the middleware runs inside of itself; what a
// handler can do with its response is the same, and late changes are kept.
func TestWriters(t *testing.T) {
	t.Parallel()
	l := ofSCS(newSCS())
	s := newSite(t, l, inMemory())
	b := newBrowser(t)
	before, after := b.serve(l.app), b.serve(s.app)
	b.do("POST", before+"/login")
	want(t, b.do("GET", after+"/stream"), 200, "begun ended")
	if n := s.count(b.cookies(after)[newCookie]); n != 7 {
		t.Errorf("the late change is %d", n)
	}
	b.do("POST", before+"/login")
	b.do("POST", after+"/logout")
	b.do("POST", before+"/login")
	want(t, b.do("GET", after+"/upgrade"), 200, "hijacked")
}

// TestNoteSize holds what the page says of memory: an item's header takes 56
// bytes besides.
func TestNoteSize(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, l library) {
		s := newSite(t, l, inMemory())
		want(t, ask(s.app, "GET", "/", l.login()), 200, alice)
		if n := s.store.noteBytes.Load(); n < 150 || n > 300-56 {
			t.Errorf("%d bytes", n)
		}
	})
}
