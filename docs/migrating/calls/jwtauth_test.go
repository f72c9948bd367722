package calls_test

import (
	"errors"
	"time"

	"github.com/go-chi/jwtauth/v5"
	"github.com/lestrrat-go/jwx/v2/jwt"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/sessiontest"
	"github.com/coatcheck/coatcheck/tokens"
)

// What an application with jwtauth has.
var (
	ja       *jwtauth.JWTAuth
	key      []byte
	claims   map[string]any
	verified jwt.Token
	hour     = time.Hour
)

func _() {
	jwtauth.New("HS256", key, nil)
	tokens.NewSigner(tokens.Config{Issuer: "https://shop.example", Keys: keys})
	chimw.New(chimw.Config{Manager: manager, Tokens: signer})
}

func _() {
	router.Use(jwtauth.Verifier(ja))
	router.Use(jwtauth.Verify(ja, jwtauth.TokenFromHeader))
	router.Use(mw.Handler)
}

func _() {
	router.Use(jwtauth.Authenticator(ja))
	router.Use(mw.RequireSubject)
	router.Use(mw.RequireSession)
	router.Use(mw.RequireToken)
}

func _() {
	ja.Encode(claims)
	s.SetSubject(user)
	name.Put(s, value)
	mw.IssueToken(ctx, s)
}

func _() {
	jwtauth.FromContext(ctx)
	session.FromContext(ctx)
	s.Subject()
	name.Get(s)
}

func _() {
	ja.Decode(text)
	jwtauth.VerifyToken(ja, text)
	jwtauth.VerifyRequest(ja, r, jwtauth.TokenFromHeader)
	signer.Verify(manager.Name(), text)
}

func _() {
	jwtauth.TokenFromHeader(r)
	_ = chimw.Config{Header: "X-Auth-Token"}
	mw.Carrier(ctx)
}

func _() {
	jwtauth.TokenFromCookie(r)
	_ = chimw.Config{NoCookie: true}
}

func _() { jwtauth.TokenFromQuery(r) }

func _() {
	jwtauth.SetExpiryIn(claims, hour)
	jwtauth.SetExpiry(claims, when)
	_ = jwtauth.ExpireIn(hour)
	_ = tokens.Config{TTL: time.Hour}
	s.ExpireAt(when)
}

func _() {
	jwtauth.SetIssuedNow(claims)
	jwtauth.SetIssuedAt(claims, when)
	_ = jwtauth.EpochNow()
	jwtauth.UnixTime(when)
}

func _() {
	jwtauth.ErrorReason(err)
	errors.Is(err, tokens.ErrExpired)
}

func _() {
	ja.ValidateOptions()
	_ = tokens.Config{Issuer: "https://shop.example"}
}

func _() {
	jwtauth.NewContext(ctx, verified, err)
	session.NewContext(ctx, s)
	sessiontest.New(t)
}
