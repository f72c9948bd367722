package main_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	base := serve(t, nil, "-api-keys", "alpha")

	t.Run("S5 by cookie: another ID, the values kept, the old cookie dead", func(t *testing.T) {
		t.Parallel()
		c := newClient(t, base)
		identifier, before := c.identifier(), c.session()
		old := with(t, base, "Cookie", c.cookies()[0].String())
		d := c.postJSON("/login", `{"user":"alice"}`).want(t, http.StatusOK).description(t)
		if d.Subject != "alice" || d.Carrier != "cookie" || d.ID == nil || d.id() == before.id() {
			t.Errorf("before %+v, now %+v", before, d)
		}
		if now := c.session(); now.id() != d.id() || now.Subject != "alice" {
			t.Errorf("the answer said %+v, and now it is %+v", d, now)
		}
		if c.identifier() != identifier {
			t.Error("the login lost the identifier")
		}
		if d := old.session(); d.ID != nil || d.Subject != "" {
			t.Errorf("by the old cookie: %+v", d)
		}
	})
	t.Run("S5 by token: a fresh one comes back, the old one is dead", func(t *testing.T) {
		t.Parallel()
		old := with(t, base, "X-Auth-Token", newClient(t, base).token())
		a := old.postJSON("/login", `{"user":"bob"}`).want(t, http.StatusOK).wantNoCookie(t)
		fresh := with(t, base, "X-Auth-Token", a.Header.Get("X-Auth-Token"))
		if d := fresh.session(); d.Subject != "bob" || d.id() != a.description(t).id() {
			t.Errorf("by the fresh token: %+v", d)
		}
		old.get("/session").want(t, http.StatusUnauthorized)
	})
	t.Run("by an API key: in place", func(t *testing.T) {
		t.Parallel()
		c := with(t, base, "X-Auth-Token", "alpha")
		c.identifier()
		before := c.session()
		c.postJSON("/login", `{"user":"carol"}`).want(t, http.StatusOK).wantNoCookie(t)
		if d := c.session(); d.Subject != "carol" || d.id() != before.id() {
			t.Errorf("before %+v, now %+v", before, d)
		}
	})
	for name, form := range map[string]struct{ contentType, body string }{
		"urlencoded": {"application/x-www-form-urlencoded; charset=utf-8", "user=J%C3%BCrgen+M."},
		"multipart":  {"multipart/form-data; boundary=X", "--X\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nJürgen M.\r\n--X--\r\n"},
	} {
		t.Run("by a form: "+name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, base)
			a := c.do(http.MethodPost, "/login", form.contentType, form.body).want(t, http.StatusSeeOther)
			if a.Header.Get("Location") != "/" || c.session().Subject != "Jürgen M." {
				t.Errorf("Location %q, subject %q", a.Header.Get("Location"), c.session().Subject)
			}
		})
	}
}

func TestLoginRefuses(t *testing.T) {
	t.Parallel()
	base := serve(t, nil)
	const json, form = "application/json", "application/x-www-form-urlencoded"
	for name, tt := range map[string]struct {
		contentType, body string
		status            int
		detail            string
	}{
		"no user":               {json, `{}`, 400, "1 to 64 printable"},
		"null":                  {json, `null`, 400, "1 to 64 printable"},
		"an empty user":         {json, `{"user":""}`, 400, "1 to 64 printable"},
		"65 characters":         {json, `{"user":"` + strings.Repeat("ü", 65) + `"}`, 400, "1 to 64 printable"},
		"a line break":          {json, `{"user":"a\nb"}`, 400, "1 to 64 printable"},
		"a right-to-left mark":  {json, `{"user":"a\u202eb"}`, 400, "1 to 64 printable"},
		"blanks":                {json, `{"user":"   "}`, 400, "1 to 64 printable"},
		"letters like blanks":   {json, `{"user":"\u3164\u115f"}`, 400, "1 to 64 printable"},
		"not UTF-8":             {json, "{\"user\":\"a\xff\"}", 400, "1 to 64 printable"},
		"a number":              {json, `{"user":7}`, 400, "neither a JSON object"},
		"no JSON":               {json, `{"user":`, 400, "said to be JSON"},
		"something after it":    {json, `{"user":"alice"} x`, 400, "said to be JSON"},
		"an empty body":         {json, ``, 400, "neither a JSON object"},
		"an empty form":         {form, ``, 400, "1 to 64 printable"},
		"a form without it":     {form, `name=alice`, 400, "1 to 64 printable"},
		"a form out of form":    {form, `user=%zz`, 400, "neither a JSON object"},
		"multipart, cut":        {"multipart/form-data; boundary=X", "--X\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nal", 400, "neither a JSON object"},
		"multipart, unbounded":  {"multipart/form-data", "--X\r\n", 400, "neither a JSON object"},
		"neither form nor JSON": {"text/plain", `{"user":"alice"}`, 415, "as application/json"},
		"no type at all":        {"", ``, 415, "as application/json"},
		"large JSON":            {json, `{"user":"` + strings.Repeat("a", 9000) + `"}`, 413, "at most 8192 bytes"},
		"a large form":          {form, `user=alice&x=` + strings.Repeat("a", 9000), 413, "at most 8192 bytes"},
		"JSON of a megabyte":    {json, `{"user":"` + strings.Repeat("a", 1<<20) + `"}`, 413, "searched for a token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, base)
			c.do(http.MethodPost, "/login", tt.contentType, tt.body).wantNoCookie(t).wantProblem(t, tt.status, tt.detail)
		})
	}
	t.Run("the URL's user", func(t *testing.T) {
		t.Parallel()
		newClient(t, base).postForm("/login?user=alice", "").wantProblem(t, http.StatusBadRequest, "1 to 64 printable")
	})
	t.Run("64 characters are not too many", func(t *testing.T) {
		t.Parallel()
		user := strings.Repeat("ü", 64)
		c := newClient(t, base)
		c.postJSON("/login", `{"user":"`+user+`"}`).want(t, http.StatusOK)
		if got := c.session().Subject; got != user {
			t.Errorf("subject %q", got)
		}
	})
}

func TestLogout(t *testing.T) {
	t.Parallel()
	base := serve(t, nil)

	t.Run("S7 the cookie goes, and neither it nor a token works again", func(t *testing.T) {
		t.Parallel()
		c := newClient(t, base)
		c.postJSON("/login", `{"user":"alice"}`).want(t, http.StatusOK)
		token := with(t, base, "X-Auth-Token", c.token())
		old := with(t, base, "Cookie", c.cookies()[0].String())
		a := c.post("/logout").want(t, http.StatusNoContent)
		if a.body != "" || len(c.cookies()) != 0 {
			t.Errorf("body %q, cookies %v", a.body, c.cookies())
		}
		if d := old.session(); d.ID != nil {
			t.Errorf("replayed: %+v", d)
		}
		token.get("/session").want(t, http.StatusUnauthorized)
	})
	t.Run("by token", func(t *testing.T) {
		t.Parallel()
		c := with(t, base, "X-Auth-Token", newClient(t, base).token())
		c.post("/logout").want(t, http.StatusNoContent).wantNoCookie(t)
		c.get("/session").want(t, http.StatusUnauthorized)
	})
	t.Run("a form gets the page again", func(t *testing.T) {
		t.Parallel()
		c := newClient(t, base)
		c.postForm("/login", "user=alice")
		a := c.postForm("/logout", "").want(t, http.StatusSeeOther)
		if a.Header.Get("Location") != "/" || len(c.cookies()) != 0 {
			t.Errorf("Location %q, cookies %v", a.Header.Get("Location"), c.cookies())
		}
	})
	t.Run("without a session there is nothing to do", func(t *testing.T) {
		t.Parallel()
		newClient(t, base).post("/logout").want(t, http.StatusNoContent)
	})
}
