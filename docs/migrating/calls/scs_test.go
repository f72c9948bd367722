package calls_test

import (
	"context"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

// What an application with scs has.
var (
	sm      *scs.SessionManager
	rows    scs.Store
	codec   scs.Codec
	onError func(http.ResponseWriter, *http.Request, error)
)

func _() {
	_ = scs.New()
	session.NewManager(session.Config{Store: store})
	chimw.New(chimw.Config{Manager: manager})
}

func _() {
	sm.LoadAndSave(next)
	mw.Handler(next)
}

func _() {
	sm.Store = rows
	_ = session.Config{Store: store}
	sm.Lifetime = month
	_ = session.Config{Lifetime: month}
	sm.IdleTimeout = time.Hour
	_ = session.Config{IdleTimeout: time.Hour}
}

func _() {
	sm.Cookie.Name = "shop"
	_ = session.Config{Name: "shop"}
}

func _() {
	sm.Cookie.Persist = true
	_ = chimw.Config{Persistent: true}
}

func _() {
	sm.Cookie.Domain = "shop.example"
	_ = chimw.Config{Domain: "shop.example"}
	sm.Cookie.SameSite = http.SameSiteStrictMode
	_ = chimw.Config{SameSite: http.SameSiteStrictMode}
	sm.Cookie.Partitioned = true
	_ = chimw.Config{Partitioned: true}
}

func _() {
	sm.Cookie.Secure = false
	_ = chimw.Config{InsecureCookie: true}
}

func _() {
	sm.Cookie.HttpOnly = true
	sm.Cookie.Path = "/"
}

func _() { sm.Codec = codec }

func _() {
	sm.ErrorFunc = onError
	_ = chimw.Config{ErrorHandler: problem}
}

func _() {
	sm.HashTokenInStore = true
	_ = session.Config{SealKeys: sealKeys}
}

func _() {
	sm.Put(ctx, "name", value)
	name.Put(s, value)
}

func _() {
	_ = sm.Get(ctx, "name").(string)
	sm.GetString(ctx, "name")
	sm.GetBool(ctx, "b")
	sm.GetInt(ctx, "i")
	sm.GetInt32(ctx, "i")
	sm.GetInt64(ctx, "i")
	sm.GetFloat(ctx, "f")
	sm.GetBytes(ctx, "x")
	sm.GetTime(ctx, "t")
	name.Get(s)
}

func _() {
	sm.Put(ctx, "visits", sm.GetInt(ctx, "visits")+1)
	visits.Update(s, func(n int) int { return n + 1 })
}

func _() {
	sm.Pop(ctx, "name")
	sm.PopString(ctx, "name")
	sm.PopBool(ctx, "b")
	sm.PopInt(ctx, "i")
	sm.PopFloat(ctx, "f")
	sm.PopBytes(ctx, "x")
	sm.PopTime(ctx, "t")
	name.Pop(s)
}

func _() {
	sm.Remove(ctx, "name")
	name.Delete(s)
}

func _() {
	sm.Exists(ctx, "name")
	_, _ = name.Get(s)
}

func _() {
	sm.Keys(ctx)
	s.Keys()
	sm.Clear(ctx)
	s.Clear()
}

func _() {
	sm.RenewToken(ctx)
	s.SetSubject(user)
	s.Renew()
}

func _() {
	sm.Destroy(ctx)
	s.Destroy()
}

func _() {
	sm.Status(ctx)
	s.Destroyed()
}

func _() {
	sm.Deadline(ctx)
	s.Deadline()
	s.IdleDeadline()
}

func _() {
	sm.SetDeadline(ctx, when)
	s.ExpireAt(when)
	_ = session.Config{MaxLifetime: month}
}

func _() {
	sm.RememberMe(ctx, true)
	s.ExpireAt(time.Now().Add(month))
	s.SetIdleTimeout(month)
	_ = session.Config{MaxLifetime: month}
}

func _() {
	sm.Token(ctx)
	s.ID()
	mw.IssueToken(ctx, s)
}

func _() {
	sm.Iterate(ctx, func(ctx context.Context) error { return sm.Destroy(ctx) })
	manager.List(ctx, user)
	manager.RevokeAll(ctx, user)
}

func _() { sm.MergeSession(ctx, text) }

func _() {
	sm.Load(ctx, text)
	sm.Commit(ctx)
	s.Commit(ctx)
}

func _() {
	sm.WriteSessionCookie(ctx, w, "", time.Time{})
	mw.Forget(w)
}
