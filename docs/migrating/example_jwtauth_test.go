package migrating_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/jwtauth/v5"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
	"github.com/coatcheck/coatcheck/tokens"
)

// legacy accepts what jwtauth issued, for as long as the switch takes. All the
// tokens of one subject open one session.
func legacy(ja *jwtauth.JWTAuth, until time.Time) tokens.VerifyFunc {
	return func(_ context.Context, token string) (name string, ok bool, err error) {
		t, err := jwtauth.VerifyToken(ja, token)
		if err == nil && t.Subject() != "" && !t.Expiration().IsZero() && time.Now().Before(until) {
			return strconv.Quote(t.Issuer()) + strconv.Quote(t.Subject()), true, nil
		}
		return "", false, nil // 401, whatever it was
	}
}

const role session.Key[string] = "role"

// claims moves a legacy token's claims into its session, when that begins.
// Handlers and guards then look at the session alone.
func claims(ja *jwtauth.JWTAuth, mw *chimw.Middleware) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s := session.FromContext(r.Context())
			if t, err := jwtauth.VerifyRequest(ja, r, jwtauth.TokenFromHeader); err == nil && !s.Stored() {
				s.SetSubject(t.Subject())
				if v, ok := t.Get("role"); ok {
					role.Put(s, fmt.Sprint(v))
				}
				if err := s.Commit(r.Context()); err != nil {
					mw.Error(w, r, err)
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// exchange gives the client of a legacy token one of ours, in a session of its
// own: it can be revoked, and outlives the old one.
func exchange(manager *session.Manager, mw *chimw.Middleware) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		old, s := session.FromContext(r.Context()), manager.New()
		s.SetSubject(old.Subject())
		if v, ok := role.Get(old); ok {
			role.Put(s, v)
		}
		token, err := mw.IssueToken(r.Context(), s)
		if err != nil {
			mw.Error(w, r, err)
			return
		}
		fmt.Fprint(w, token.Reveal())
	}
}

// newAPI is an application that takes both kinds of token.
func newAPI(ja *jwtauth.JWTAuth, until time.Time) (http.Handler, error) {
	key := tokens.GenerateKey() // tokens.LoadKeys in production
	external, err := tokens.NewExternal(tokens.ExternalConfig{Key: key, Verify: legacy(ja, until)})
	if err != nil {
		return nil, err
	}
	signer, err := tokens.NewSigner(tokens.Config{Issuer: "shop", Keys: []tokens.Key{key}})
	if err != nil {
		return nil, err
	}
	manager, err := session.NewManager(session.Config{Store: new(memory.Store)})
	if err != nil {
		return nil, err
	}
	mw, err := chimw.New(chimw.Config{Manager: manager, Tokens: signer, External: external})
	if err != nil {
		return nil, err
	}
	r := chi.NewRouter()
	r.Use(mw.Handler, claims(ja, mw), mw.RequireSubject)
	r.Get("/", func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		v, _ := role.Get(s)
		fmt.Fprint(w, s.Subject(), " is ", v)
	})
	r.Post("/token", exchange(manager, mw))
	return r, nil
}

// A client goes on with the JWT that it has, and gets one of ours for it.
func Example_jwtauth() {
	ja := jwtauth.New("HS256", []byte("a key of 32 bytes at least, here"), nil)
	_, old, _ := ja.Encode(map[string]any{"sub": "alice", "role": "admin", "exp": jwtauth.ExpireIn(time.Hour)})
	app, err := newAPI(ja, time.Now().AddDate(0, 0, 30))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ask(app, "GET", "/", nil, "Authorization", "Bearer "+old).text)
	fresh := ask(app, "POST", "/token", nil, "Authorization", "Bearer "+old).text
	fmt.Println(ask(app, "GET", "/", nil, "Authorization", "Bearer "+fresh).text)
	fmt.Println(ask(app, "GET", "/", nil, "Authorization", "Bearer "+old+"x").status)
	// Output:
	// alice is admin
	// alice is admin
	// 401
}

// TestLegacy: which JWTs still count, and that none sets a cookie.
func TestLegacy(t *testing.T) {
	t.Parallel()
	ja := jwtauth.New("HS256", []byte("a key of 32 bytes at least, here"), nil)
	other := jwtauth.New("HS256", []byte("another key of 32 bytes at least"), nil)
	encode := func(ja *jwtauth.JWTAuth, claims map[string]any) string {
		_, token, err := ja.Encode(claims)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	soon := jwtauth.ExpireIn(time.Hour)
	during, afterwards := time.Now().Add(time.Hour), time.Now().Add(-time.Second)
	for name, c := range map[string]struct {
		token  string
		until  time.Time
		status int
	}{
		"good":            {encode(ja, map[string]any{"sub": "alice", "exp": soon}), during, 200},
		"afterwards":      {encode(ja, map[string]any{"sub": "alice", "exp": soon}), afterwards, 401},
		"expired":         {encode(ja, map[string]any{"sub": "alice", "exp": jwtauth.ExpireIn(-time.Hour)}), during, 401},
		"without end":     {encode(ja, map[string]any{"sub": "alice"}), during, 401},
		"without subject": {encode(ja, map[string]any{"exp": soon}), during, 401},
		"forged":          {encode(other, map[string]any{"sub": "alice", "exp": soon}), during, 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, err := newAPI(ja, c.until)
			if err != nil {
				t.Fatal(err)
			}
			got := ask(app, "GET", "/", nil, "Authorization", "Bearer "+c.token)
			want(t, got, c.status, "")
			untouched(t, got)
		})
	}
}
