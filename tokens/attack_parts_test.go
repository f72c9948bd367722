package tokens_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/coatcheck/coatcheck/tokens"
)

var partAttacks = []attack{
	{"J12 empty", tokens.ErrMalformed, edited(func(string) string { return "" })},
	{"J12 one dot", tokens.ErrMalformed, edited(func(string) string { return "." })},
	{"J12 two dots", tokens.ErrMalformed, edited(func(string) string { return ".." })},
	{"J12 header alone", tokens.ErrMalformed, parts(func(h, _, _ string) string { return h })},
	{"J12 header and a dot", tokens.ErrSignature, parts(func(h, _, _ string) string { return h + "." })},
	{"J12 header and two dots", tokens.ErrSignature, parts(func(h, _, _ string) string { return h + ".." })},
	{"J12 no signature", tokens.ErrSignature, parts(func(h, p, _ string) string { return h + "." + p })},
	{"J12 an empty signature", tokens.ErrSignature, parts(func(h, p, _ string) string { return h + "." + p + "." })},
	{"J12 no payload", tokens.ErrSignature, parts(func(h, _, s string) string { return h + "." + s })},
	{"J12 an empty payload", tokens.ErrSignature, parts(func(h, _, s string) string { return h + ".." + s })},
	{"J12 no header", tokens.ErrMalformed, parts(func(_, p, s string) string { return p + "." + s })},
	{"J12 an empty header", tokens.ErrMalformed, parts(func(_, p, s string) string { return "." + p + "." + s })},
	{"J12 four parts", tokens.ErrSignature, parts(func(h, p, s string) string { return h + "." + p + "." + s + "." + s })},
	{"J12 four parts, the third empty", tokens.ErrSignature, parts(func(h, p, s string) string { return h + "." + p + ".." + s })},
	{"J12 five parts, as if encrypted", tokens.ErrSignature, parts(func(h, p, s string) string { return h + "." + p + "." + p + "." + p + "." + s })},
	{"J12 four parts, well signed", tokens.ErrSignature, withRaw(func(good string) string { return good + "." + good })},
	{"J12 parts swapped", tokens.ErrMalformed, parts(func(h, p, s string) string { return p + "." + h + "." + s })},
	{"J12 a dot before it", tokens.ErrMalformed, edited(func(v string) string { return "." + v })},
	{"J12 a dot after it", tokens.ErrSignature, edited(func(v string) string { return v + "." })},
	{"J12 a space before it", tokens.ErrMalformed, edited(func(v string) string { return " " + v })},
	{"J12 a space after it", tokens.ErrSignature, edited(func(v string) string { return v + " " })},
	{"J12 a line feed after it", tokens.ErrSignature, edited(func(v string) string { return v + "\n" })},
	{"J12 a NUL after it", tokens.ErrSignature, edited(func(v string) string { return v + "\x00" })},
	{"J12 Bearer before it", tokens.ErrMalformed, edited(func(v string) string { return "Bearer " + v })},
	{"J12 quoted", tokens.ErrMalformed, edited(func(v string) string { return `"` + v + `"` })},
	{"J12 twice", tokens.ErrSignature, edited(func(v string) string { return v + v })},
	{"J12 twice, with a comma", tokens.ErrSignature, edited(func(v string) string { return v + "," + v })},
	{"J12 percent-encoded dots", tokens.ErrMalformed, edited(func(v string) string { return strings.ReplaceAll(v, ".", "%2E") })},
	{"J12 full-width dots", tokens.ErrMalformed, edited(func(v string) string { return strings.ReplaceAll(v, ".", "\uff0e") })},
	{"J12 JSON serialization", tokens.ErrMalformed, parts(func(h, p, s string) string {
		return fmt.Sprintf(`{"protected":"%s","payload":"%s","signature":"%s"}`, h, p, s)
	})},

	{"J12 payload padded", tokens.ErrSignature, parts(func(h, p, s string) string { return h + "." + p + "=." + s })},
	{"J12 payload padded, well signed", tokens.ErrClaims, withRaw(func(p string) string { return p + "=" })},
	{"J12 payload with a line feed in it, well signed", tokens.ErrClaims, withRaw(func(p string) string { return p[:20] + "\n" + p[20:] })},
	{"J12 payload with a carriage return in it, well signed", tokens.ErrClaims, withRaw(func(p string) string { return p[:20] + "\r" + p[20:] })},
	{"J12 payload with CR LF after it, well signed", tokens.ErrClaims, withRaw(func(p string) string { return p + "\r\n" })},
	{"J12 payload with a space in it, well signed", tokens.ErrClaims, withRaw(func(p string) string { return p[:20] + " " + p[20:] })},
	{"J12 payload one character too long, well signed", tokens.ErrClaims, withRaw(func(string) string { return b64(payload() + " ")[:len(b64(payload()))+1] })},
	{"J12 payload in the standard alphabet, well signed", tokens.ErrClaims, func(a *arena) string {
		p := b64(payload("iss", `"~~~"`))
		if !strings.ContainsAny(p, "-_") {
			a.t.Fatal("this payload is the same in both alphabets")
		}
		return withRaw(func(string) string { return strings.NewReplacer("-", "+", "_", "/").Replace(p) })(a)
	}},
	{"J12 payload with spare bits set, well signed", tokens.ErrClaims, func(a *arena) string {
		p := b64(payload("exp", "946688400"))
		if len(p)%4 == 0 {
			p = b64(payload("exp", "9466884001"))
		}
		return withRaw(func(string) string { return spareBits(p) })(a)
	}},
	{"J12 payload not encoded, well signed", tokens.ErrSignature, withRaw(func(string) string { return payload() })},
	{"J12 payload encoded twice, well signed", tokens.ErrClaims, withRaw(b64)},

	{"H9 well signed, and one byte too long", tokens.ErrSignature, func(a *arena) string { return ofLength(a, tokens.MaxTokenBytes+1) }},
	{"H9 well signed, and as long as may be", tokens.ErrClaims, func(a *arena) string { return ofLength(a, tokens.MaxTokenBytes) }},

	{"J15 the session ID alone", tokens.ErrMalformed, edited(func(string) string { return sidText })},
	{"J15 the claims alone", tokens.ErrMalformed, edited(func(string) string { return payload() })},
	{"J15 the signature alone", tokens.ErrMalformed, parts(func(_, _, s string) string { return s })},
}

// ofLength returns a token of n bytes with a correct signature: no shorter than
// that could be refused for its signature alone.
func ofLength(a *arena, n int) string {
	head := b64(header("k1")) + "."
	room := n - len(head) - 1 - len(a.signature)
	token := forgeRaw(sha256.New, a.first.Reveal(), head+strings.Repeat("A", room))
	if len(token) != n {
		a.t.Fatalf("made a token of %d bytes, not %d", len(token), n)
	}
	return token
}

// changeSignature leaves all but the signature as it was.
func changeSignature(f func(signature string) string) func(*arena) string {
	return parts(func(h, p, s string) string { return h + "." + p + "." + f(s) })
}

var signatureAttacks = []attack{
	{"J12 signature with spare bits set", tokens.ErrSignature, changeSignature(spareBits)},
	{"J12 signature padded", tokens.ErrSignature, changeSignature(func(s string) string { return s + "=" })},
	{"J12 signature cut short", tokens.ErrSignature, changeSignature(func(s string) string { return s[:len(s)-1] })},
	{"J12 signature of one character", tokens.ErrSignature, changeSignature(func(s string) string { return s[:1] })},
	{"J12 signature twice", tokens.ErrSignature, changeSignature(func(s string) string { return s + s })},
	{"J12 signature with a line feed in it", tokens.ErrSignature, changeSignature(func(s string) string { return s[:9] + "\n" + s[9:] })},
	{"J12 signature with a line feed for its last character", tokens.ErrSignature, changeSignature(func(s string) string { return s[:len(s)-1] + "\n" })},
	{"J12 signature of zeros", tokens.ErrSignature, changeSignature(func(s string) string { return strings.Repeat("A", len(s)) })},
	{"J12 signature of line feeds", tokens.ErrSignature, changeSignature(func(s string) string { return strings.Repeat("\n", len(s)) })},
	{"J12 signature in hex", tokens.ErrSignature, func(a *arena) string {
		return good() + "." + hex.EncodeToString(sum(a.first.Reveal(), good()))
	}},
	{"J12 signature in the standard alphabet", tokens.ErrSignature, func(a *arena) string {
		for exp := 946688400; ; exp++ {
			token := withClaims("exp", fmt.Sprint(exp))(a)
			cut := strings.LastIndexByte(token, '.')
			if strings.ContainsAny(token[cut:], "-_") {
				return token[:cut] + strings.NewReplacer("-", "+", "_", "/").Replace(token[cut:])
			}
		}
	}},
	{"J12 signature of another token", tokens.ErrSignature, func(a *arena) string {
		other := withClaims("exp", "946688401")(a)
		return good() + other[strings.LastIndexByte(other, '.'):]
	}},
	{"J12 payload of another token", tokens.ErrSignature, func(a *arena) string {
		return b64(header("k1")) + "." + b64(payload("exp", "946688401")) + "." + a.signature
	}},
	{"J12 header of our other key", tokens.ErrSignature, parts(func(_, p, s string) string { return b64(header("k2")) + "." + p + "." + s })},
	{"J12 signed with no key", tokens.ErrSignature, func(*arena) string { return forgeRaw(sha256.New, nil, good()) }},
	{"J12 signed with the key's ID", tokens.ErrSignature, func(*arena) string { return forgeRaw(sha256.New, []byte("k1"), good()) }},
	{"J12 signed with a derived key", tokens.ErrSignature, func(a *arena) string { return forgeRaw(sha256.New, a.first.Derive("x"), good()) }},
	{"J12 signed with the key's base64", tokens.ErrSignature, func(a *arena) string {
		return forgeRaw(sha256.New, []byte(b64(string(a.first.Reveal()))), good())
	}},
	{"J12 payload alone signed", tokens.ErrSignature, func(a *arena) string {
		return good() + "." + b64(string(sum(a.first.Reveal(), b64(payload()))))
	}},
	{"J12 decoded parts signed", tokens.ErrSignature, func(a *arena) string {
		return good() + "." + b64(string(sum(a.first.Reveal(), header("k1")+"."+payload())))
	}},
	{"J12 a hash for a signature", tokens.ErrSignature, func(a *arena) string {
		hash := sha256.Sum256(append(a.first.Reveal(), good()...))
		return good() + "." + b64(string(hash[:]))
	}},
}

func sum(secret []byte, text string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
