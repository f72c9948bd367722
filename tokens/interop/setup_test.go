package interop_test

import (
	"errors"
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/tokens"
)

func newMiddleware(manager *session.Manager, keyFile string) (*chimw.Middleware, error) {
	keys, err1 := tokens.LoadKeys(keyFile) // or tokens.ParseKeys(os.Getenv("COATCHECK_KEYS"))
	signer, err2 := tokens.NewSigner(tokens.Config{
		Issuer: "https://shop.example",
		Keys:   keys,
		TTL:    15 * time.Minute, // 0: as long as the session
	})
	mw, err3 := chimw.New(chimw.Config{Manager: manager, Tokens: signer, RefreshTokens: true})
	return mw, errors.Join(err1, err2, err3)
}
