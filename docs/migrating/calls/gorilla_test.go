package calls_test

import (
	"net/http"
	"time"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
)

// What an application with gorilla/sessions has.
var (
	shop    sessions.Store
	cookies *sessions.CookieStore
	files   *sessions.FilesystemStore
	old     *sessions.Session
	hash    []byte
	block   []byte
)

func _() {
	sessions.NewCookieStore(hash, block)
	sessions.NewFilesystemStore("", hash)
	memcached.New(memcached.Config{Nodes: []string{"10.0.0.1:11211"}})
	_ = session.Config{SealKeys: sealKeys}
}

func _() {
	shop.Get(r, "shop")
	shop.New(r, "shop")
	session.FromContext(r.Context())
}

func _() {
	sessions.GetRegistry(r).Get(shop, "shop")
	manager.FromContext(r.Context())
}

func _() {
	sessions.NewSession(shop, "shop")
	manager.New()
}

func _() {
	_ = old.Values["name"].(string)
	name.Get(s)
}

func _() {
	old.Values["name"] = value
	name.Put(s, value)
}

func _() {
	delete(old.Values, "name")
	name.Delete(s)
}

func _() {
	old.AddFlash(value)
	flashes.Update(s, func(all []string) []string { return append(all, value) })
}

func _() {
	old.Flashes()
	flashes.Pop(s)
}

func _() {
	old.Save(r, w)
	sessions.Save(r, w)
	shop.Save(r, w, old)
	sessions.GetRegistry(r).Save(w)
	s.Commit(ctx)
}

func _() {
	_ = old.IsNew
	_ = !s.Stored()
}

func _() {
	_ = old.ID
	s.ID()
	old.Name()
	old.Store()
	manager.Name()
}

func _() {
	old.Options.MaxAge = -1
	s.Destroy()
}

func _() {
	old.Options.MaxAge = seconds
	s.ExpireAt(time.Now().Add(month))
	_ = chimw.Config{Persistent: true}
}

func _() {
	cookies.MaxAge(seconds)
	files.MaxAge(seconds)
	_ = session.Config{Lifetime: month}
}

func _() {
	files.MaxLength(0)
	_ = memcached.Config{MaxValueBytes: 4<<20 - 512}
}

func _() {
	old.Options.Path = "/"
	old.Options.HttpOnly = true
	old.Options.Secure = true
}

func _() {
	old.Options.Domain = "shop.example"
	_ = chimw.Config{Domain: "shop.example"}
	old.Options.SameSite = http.SameSiteStrictMode
	_ = chimw.Config{SameSite: http.SameSiteStrictMode}
	old.Options.Partitioned = true
	_ = chimw.Config{Partitioned: true}
}

func _() {
	sessions.NewCookie("shop", "", old.Options)
	mw.Forget(w)
}
