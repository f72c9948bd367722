package tokens_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/tokens"
)

// RFC 7515 appendix A.1, with the line breaks that the RFC adds taken out.
const (
	a1Token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9" +
		".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ" +
		".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	a1Key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
	a1Exp = 1300819380
	a1Iss = "joe"
)

func a1(t *testing.T) tokens.Key {
	t.Helper()
	secret, err := base64.RawURLEncoding.DecodeString(a1Key)
	if err != nil {
		t.Fatal(err)
	}
	k, err := tokens.NewKey("a1", secret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestRFC7515 takes the appendix's token through our judgments one by one. Verify
// as a whole must refuse it, because it is no session token.
func TestRFC7515(t *testing.T) {
	t.Parallel()
	cut := strings.LastIndexByte(a1Token, '.')
	signed, signature := a1Token[:cut], a1Token[cut+1:]

	t.Run("V1 signature", func(t *testing.T) {
		t.Parallel()
		if !tokens.MACVerifies(a1(t), signed, signature) {
			t.Error("the signature is refused")
		}
		if tokens.MACVerifies(key(t, "a1", 1), signed, signature) {
			t.Error("the signature is accepted with another key")
		}
		for i := range signed {
			if changed := signed[:i] + string(signed[i]^1) + signed[i+1:]; tokens.MACVerifies(a1(t), changed, signature) {
				t.Fatalf("the signature is accepted for %q", changed)
			}
		}
	})
	t.Run("V1 at its time, and not a second later", func(t *testing.T) {
		t.Parallel()
		bubble(t, func(t *testing.T) {
			elapse(time.Until(time.Unix(a1Exp, 0)) - 1)
			if err := tokens.JudgeExpiry(a1Iss, a1Exp); err != nil {
				t.Errorf("a nanosecond before exp: %v", err)
			}
			elapse(time.Nanosecond)
			if err := tokens.JudgeExpiry(a1Iss, a1Exp); !errors.Is(err, tokens.ErrExpired) {
				t.Errorf("at exp: %v", err)
			}
			elapse(time.Second)
			if err := tokens.JudgeExpiry(a1Iss, a1Exp); !errors.Is(err, tokens.ErrExpired) {
				t.Errorf("a second after exp: %v", err)
			}
		})
	})
	t.Run("V1 a token of ours with the same key, issuer and exp", func(t *testing.T) {
		t.Parallel()
		bubble(t, func(t *testing.T) {
			s := signer(t, tokens.Config{Issuer: a1Iss, Keys: []tokens.Key{a1(t)}})
			elapse(time.Until(time.Unix(a1Exp, 0)) - time.Minute)
			token := sign(t, s, time.Minute)
			elapse(time.Minute - 1)
			accepted(t, s, token)
			elapse(time.Nanosecond)
			refused(t, s, token, tokens.ErrExpired)
		})
	})
	t.Run("V1 is not one of ours", func(t *testing.T) {
		t.Parallel()
		bubble(t, func(t *testing.T) {
			s := signer(t, tokens.Config{Issuer: a1Iss, Keys: []tokens.Key{a1(t)}, Type: "JWT"})
			refused(t, s, a1Token, tokens.ErrMalformed)
		})
	})
}
