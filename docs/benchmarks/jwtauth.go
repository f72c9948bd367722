package benchmarks

import (
	"net/http"
	"time"

	"github.com/go-chi/jwtauth/v5"
	"github.com/gorilla/securecookie"
)

// jwtauthLibrary is jwtauth as its README shows it. It has no store: the token is
// the session, and a change is a new token.
type jwtauthLibrary struct {
	auth *jwtauth.JWTAuth
	key  []byte
}

func newJWTAuth() jwtauthLibrary {
	key := securecookie.GenerateRandomKey(32)
	return jwtauthLibrary{jwtauth.New("HS256", key, nil), key}
}

func (l jwtauthLibrary) Name() string { return "jwtauth" }

func (l jwtauthLibrary) Key() []byte { return l.key }

func (l jwtauthLibrary) Middleware(next http.Handler) http.Handler {
	return jwtauth.Verifier(l.auth)(next)
}

func (l jwtauthLibrary) Guard(next http.Handler) http.Handler {
	return jwtauth.Authenticator(l.auth)(next)
}

func (l jwtauthLibrary) Login(w http.ResponseWriter, _ *http.Request, u User) error {
	claims := map[string]any{counterKey: 0}
	for key, value := range u.all {
		claims[key] = value
	}
	return l.issue(w, claims)
}

func (l jwtauthLibrary) Value(r *http.Request, key string) string {
	_, claims, _ := jwtauth.FromContext(r.Context())
	v, _ := claims[key].(string)
	return v
}

func (l jwtauthLibrary) Count(w http.ResponseWriter, r *http.Request) (int, error) {
	_, claims, err := jwtauth.FromContext(r.Context())
	if err != nil {
		return 0, err
	}
	n, _ := claims[counterKey].(float64)
	claims[counterKey] = n + 1
	return int(n) + 1, l.issue(w, claims)
}

func (l jwtauthLibrary) issue(w http.ResponseWriter, claims map[string]any) error {
	jwtauth.SetIssuedNow(claims)
	jwtauth.SetExpiryIn(claims, time.Hour)
	_, token, err := l.auth.Encode(claims)
	if err == nil {
		w.Header().Set(tokenHeader, token)
	}
	return err
}
