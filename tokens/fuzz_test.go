package tokens_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/coatcheck/coatcheck/tokens"
)

// FuzzVerify compares with golang-jwt: whatever we accept, its parser accepts,
// with all its strictness on, and reads the same in it. Most of what it is fed
// is correctly signed, or it would never get beyond the signature.
func FuzzVerify(f *testing.F) {
	k := key(f, "k1", 1)
	s := signer(f, tokens.Config{Keys: []tokens.Key{k}})
	const raw, signed, encoded = 0, 1, 2
	f.Add(uint8(raw), sign(f, s, 24*time.Hour))
	f.Add(uint8(raw), "..")
	f.Add(uint8(signed), b64(header("k1"))+"."+b64(payload()))
	f.Add(uint8(signed), b64(header("k2"))+"."+b64(payload()))
	f.Add(uint8(signed), b64(header("k1"))+".\n"+b64(payload()))
	for _, text := range []string{
		payload(),
		payload("nbf", "1"),
		payload("aud", `["session"]`),
		payload("exp", "1e10"),
		payload("exp", "99999999999.5"),
		payload("iss", `"https:\/\/issuer.example"`),
		payload("Exp", "1"),
		strings.Replace(payload(), "{", `{"exp":9999999999,`, 1),
		strings.Replace(payload(), ":", ": ", 1),
	} {
		f.Add(uint8(encoded), text)
	}
	oracle := newPeer(k)
	f.Fuzz(func(t *testing.T, how uint8, text string) {
		token := text
		switch how % 3 {
		case signed:
			token = forgeRaw(sha256.New, k.Reveal(), text)
		case encoded:
			token = forge(k.Reveal(), header("k1"), text)
		}
		id, err := s.Verify(audience, token)
		if err != nil {
			if id != ([16]byte{}) || len(kindsOf(err)) != 1 || !errors.Is(err, tokens.ErrInvalid) {
				t.Fatalf("Verify(%q): %x, %v of kinds %v", token, id, err, kindsOf(err))
			}
			return
		}
		agree(t, oracle, token, id)
	})
}

// agree fails unless golang-jwt accepts an accepted token, and reads our claims.
func agree(t *testing.T, oracle *peer, token string, id [16]byte) {
	t.Helper()
	theirs, err := oracle.Verify(token)
	if err != nil {
		t.Fatalf("golang-jwt refuses %q: %v", token, err)
	}
	if sid := fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]); theirs.SID != sid {
		t.Errorf("golang-jwt reads sid %q, we %q", theirs.SID, sid)
	}
	text := part(t, token, 1)
	sameAsEncodingJSON(t, text)
	ours, _, err := tokens.DecodeClaims(text)
	if err != nil {
		t.Fatalf("accepted, but not decoded: %v", err)
	}
	if got, want := fmt.Sprint(read(ours)), fmt.Sprint(read(theirs)); got != want {
		t.Errorf("golang-jwt reads %s, we %s", want, got)
	}
	if again := b64(part(t, token, 0)) + "." + b64(text) + "." + b64(part(t, token, 2)); again != token {
		t.Errorf("%q is accepted, and so is %q", again, token)
	}
}

// read asks for every registered claim.
func read(c jwt.Claims) (all []any) {
	iss, err1 := c.GetIssuer()
	sub, err2 := c.GetSubject()
	aud, err3 := c.GetAudience()
	all = append(all, iss, sub, aud, err1, err2, err3)
	for _, get := range []func() (*jwt.NumericDate, error){c.GetIssuedAt, c.GetNotBefore, c.GetExpirationTime} {
		date, err := get()
		all = append(all, date != nil && !date.IsZero(), err)
		if date != nil {
			all = append(all, date.UnixNano())
		}
	}
	return all
}

// FuzzClaims compares with encoding/json: whatever we decode is valid JSON, in
// its most compact form, with each member once, and decodes to the same.
func FuzzClaims(f *testing.F) {
	for _, tables := range [][]attack{timeAttacks, nameAttacks, memberAttacks} {
		for _, a := range tables {
			token := a.token(&arena{first: key(f, "k1", 1)})
			if text, err := strictBase64.DecodeString(strings.Split(token, ".")[1]); err == nil {
				f.Add(string(text))
			}
		}
	}
	f.Add(payload())
	f.Add(payload("nbf", "1"))
	f.Fuzz(sameAsEncodingJSON)
}

func sameAsEncodingJSON(t *testing.T, text string) {
	t.Helper()
	claims, sid, err := tokens.DecodeClaims(text)
	if err != nil {
		if !errors.Is(err, tokens.ErrClaims) {
			t.Fatalf("%q: %v, want ErrClaims", text, err)
		}
		return
	}
	members, compact := decodeMembers(t, text)
	if compact != text {
		t.Errorf("%q is decoded, and its members are %s", text, compact)
	}
	iss, _ := claims.GetIssuer()
	aud, _ := claims.GetAudience()
	want := map[string]any{"iss": iss, "aud": aud[0], "sid": sid}
	for name, get := range map[string]func() (*jwt.NumericDate, error){"iat": claims.GetIssuedAt, "nbf": claims.GetNotBefore, "exp": claims.GetExpirationTime} {
		if date, _ := get(); date != nil {
			want[name] = json.Number(fmt.Sprint(date.Unix()))
		}
	}
	if fmt.Sprint(members) != fmt.Sprint(want) {
		t.Errorf("%q is decoded as %v, and has %v", text, want, members)
	}
}

// decodeMembers decodes a flat JSON object, and writes it anew in the same
// order, by encoding/json.
func decodeMembers(t *testing.T, text string) (members map[string]any, compact string) {
	t.Helper()
	members = make(map[string]any)
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var b bytes.Buffer
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		t.Fatalf("%q is decoded, and begins with %v, %v", text, open, err)
	}
	for d.More() {
		name, err1 := d.Token()
		value, err2 := d.Token()
		n, err3 := json.Marshal(name)
		v, err4 := json.Marshal(value)
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Fatalf("%q is decoded, and is no JSON: %v", text, err)
		}
		if _, ok := members[name.(string)]; ok {
			t.Fatalf("%q is decoded, and has %s twice", text, name)
		}
		members[name.(string)] = value
		fmt.Fprintf(&b, ",%s:%s", n, v)
	}
	return members, "{" + strings.TrimPrefix(b.String(), ",") + "}"
}
