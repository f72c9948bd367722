package benchmarks_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-chi/jwtauth/v5"
	"github.com/gorilla/securecookie"
)

// askJWTAuth returns the status of a request that passes through jwtauth's
// middleware, as its README mounts it.
func askJWTAuth(auth *jwtauth.JWTAuth, edit func(*http.Request)) *httptest.ResponseRecorder {
	h := jwtauth.Verifier(auth)(jwtauth.Authenticator(auth)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, values, _ := jwtauth.FromContext(r.Context())
		fmt.Fprint(w, values["user"])
	})))
	r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
	edit(r)
	h.ServeHTTP(w, r)
	return w
}

func byHeader(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func byJWTCookie(token string) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "jwt", Value: token}) }
}

func wantStatus(t *testing.T, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status {
		t.Errorf("%d %s, want %d", w.Code, w.Body, status)
	}
}

func encode(t *testing.T, auth *jwtauth.JWTAuth, values map[string]any) string {
	t.Helper()
	_, token, err := auth.Encode(values)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

var alice = map[string]any{"user": "alice@example.com"}

// TestJWTAuth shows what docs/comparison.md says of jwtauth.
func TestJWTAuth(t *testing.T) {
	key := securecookie.GenerateRandomKey(32)
	auth := jwtauth.New("HS256", key, nil)
	claims{
		"one token by header or by cookie": func(t *testing.T) {
			token := encode(t, auth, alice)
			wantStatus(t, askJWTAuth(auth, byHeader(token)), 200)
			wantStatus(t, askJWTAuth(auth, byJWTCookie(token)), 200)
		},
		"the key is all that a process needs": func(t *testing.T) {
			wantStatus(t, askJWTAuth(jwtauth.New("HS256", key, nil), byHeader(encode(t, auth, alice))), 200)
		},
		"a public key verifies": func(t *testing.T) {
			for alg, private := range asymmetricKeys(t) {
				token := encode(t, jwtauth.New(alg, private, private.Public()), alice)
				verifier := jwtauth.New(alg, nil, private.Public())
				wantStatus(t, askJWTAuth(verifier, byHeader(token)), 200)
				if _, _, err := verifier.Encode(alice); err == nil {
					t.Errorf("%s: who verifies can sign", alg)
				}
			}
		},
		"a forged token is refused": func(t *testing.T) {
			token := []byte(encode(t, auth, alice))
			token[len(token)-6] ^= 1
			wantStatus(t, askJWTAuth(auth, byHeader(string(token))), 401)
		},
		"another algorithm is refused": func(t *testing.T) {
			wantStatus(t, askJWTAuth(auth, byHeader(encode(t, jwtauth.New("HS512", key, nil), alice))), 401)
		},
		"exp is judged, and may be missing": func(t *testing.T) {
			brief := map[string]any{"user": "alice@example.com"}
			synctest.Test(t, func(t *testing.T) {
				jwtauth.SetExpiryIn(brief, time.Hour)
				short, endless := encode(t, auth, brief), encode(t, auth, alice)
				wantStatus(t, askJWTAuth(auth, byHeader(short)), 200)
				time.Sleep(2 * time.Hour)
				wantStatus(t, askJWTAuth(auth, byHeader(short)), 401)
				time.Sleep(20 * 365 * 24 * time.Hour)
				wantStatus(t, askJWTAuth(auth, byHeader(endless)), 200)
			})
		},
		"a token stays good when its cookie is taken away": func(t *testing.T) {
			token := encode(t, auth, alice)
			wantStatus(t, askJWTAuth(auth, func(*http.Request) {}), 401) // who was logged out shows nothing
			wantStatus(t, askJWTAuth(auth, byHeader(token)), 200)        // unless he kept it
		},
		"clients read what a token says": func(t *testing.T) {
			payload, err := base64.RawURLEncoding.DecodeString(strings.Split(encode(t, auth, alice), ".")[1])
			if err != nil || !strings.Contains(string(payload), "alice@example.com") {
				t.Errorf("%s %v", payload, err)
			}
		},
		"there is one key, and a new one ends all tokens": func(t *testing.T) {
			wantStatus(t, askJWTAuth(jwtauth.New("HS256", securecookie.GenerateRandomKey(32), nil), byHeader(encode(t, auth, alice))), 401)
		},
		"a key of one byte is taken": func(t *testing.T) {
			weak := jwtauth.New("HS256", []byte("k"), nil)
			wantStatus(t, askJWTAuth(weak, byHeader(encode(t, weak, alice))), 200)
		},
		"401 comes without a challenge": func(t *testing.T) {
			w := askJWTAuth(auth, byHeader("made-up"))
			wantStatus(t, w, 401)
			if challenge := w.Header().Get("WWW-Authenticate"); challenge != "" {
				t.Error(challenge)
			}
		},
		"another site's request is for the cookie's SameSite to keep out": func(t *testing.T) {
			token := encode(t, auth, alice)
			wantStatus(t, askJWTAuth(auth, func(r *http.Request) {
				r.Method = "POST"
				r.Header.Set("Sec-Fetch-Site", "cross-site")
				byJWTCookie(token)(r)
			}), 200)
		},
	}.test(t)
}

func asymmetricKeys(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	es, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{"RS256": rs, "ES256": es}
}
