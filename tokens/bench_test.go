package tokens_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/coatcheck/coatcheck/tokens"
)

// The peer is golang-jwt's parser with every hardening option on, made once, as
// its documentation advises, and with the cheaper of its two ways to decode
// claims: into a struct.
type peerClaims struct {
	SID string `json:"sid"`
	jwt.RegisteredClaims
}

type peer struct {
	parser *jwt.Parser
	keys   map[string][]byte
}

func newPeer(k tokens.Key) *peer {
	return &peer{
		keys: map[string][]byte{k.ID(): k.Reveal()},
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{"HS256"}),
			jwt.WithStrictDecoding(),
			jwt.WithExpirationRequired(),
			jwt.WithIssuedAt(),
			jwt.WithIssuer(issuer),
			jwt.WithAudience(audience),
			jwt.WithLeeway(30*time.Second),
		),
	}
}

func (p *peer) Verify(token string) (*peerClaims, error) {
	var c peerClaims
	_, err := p.parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		key, ok := p.keys[id]
		if !ok {
			return nil, errors.New("unknown key")
		}
		return key, nil
	})
	return &c, err
}

// newFloor returns the least that verifying can cost: one HMAC, by a hash that
// has been used before, over the same bytes.
func newFloor(k tokens.Key) func(token string) {
	var (
		h   = hmac.New(sha256.New, k.Reveal())
		in  = make([]byte, tokens.MaxTokenBytes)
		out = make([]byte, 0, sha256.Size)
	)
	return func(token string) {
		h.Reset()
		h.Write(in[:copy(in, token[:max(0, strings.LastIndexByte(token, '.'))])])
		h.Sum(out)
	}
}

// benchTokens returns what Verify is given, and the share of golang-jwt's time
// that it may take.
func benchTokens(b *testing.B, s *tokens.Signer, k tokens.Key) []benchToken {
	b.Helper()
	valid := sign(b, s, 24*time.Hour)
	last := valid[len(valid)-2]
	forged := valid[:len(valid)-2] + string(last^1) + valid[len(valid)-1:] // the signature's last byte but one, still canonical
	if !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", rune(last^1)) {
		forged = valid[:len(valid)-2] + "AA"
	}
	h, rest, _ := strings.Cut(valid, ".")
	return []benchToken{
		{"valid", valid, nil, 0.4},
		{"forged", forged, tokens.ErrSignature, 0.08},
		{"garbage/short", "garbage", tokens.ErrMalformed, 0.1},
		{"garbage/letters", strings.Repeat("abcDEF09", 40), tokens.ErrMalformed, 0.1},
		{"garbage/dots", strings.Repeat(".", 320), tokens.ErrMalformed, 0.1},
		{"garbage/three-parts", "aaaa.bbbb.cccc", tokens.ErrMalformed, 0.1},
		{"garbage/another-issuer", b64(`{"alg":"HS256","typ":"JWT"}`) + "." + rest, tokens.ErrMalformed, 0.1},
		{"garbage/after-our-header", h + ".!!!!.!!!!", tokens.ErrSignature, 0.1},
		{"unknown-key", forge(k.Reveal(), header("unknown"), payload()), tokens.ErrUnknownKey, 0.1},
	}
}

type benchToken struct {
	name  string
	token string
	want  error
	most  float64
}

// BenchmarkVerify takes turns with golang-jwt and with the floor, in batches, so
// that what disturbs one disturbs the others. It fails if a share is exceeded.
func BenchmarkVerify(b *testing.B) {
	k := tokens.GenerateKey()
	s := signer(b, tokens.Config{Keys: []tokens.Key{k}})
	golangJWT, floor := newPeer(k), newFloor(k)
	for _, row := range benchTokens(b, s, k) {
		b.Run(row.name, func(b *testing.B) {
			if _, err := s.Verify(audience, row.token); !errors.Is(err, row.want) {
				b.Fatalf("Verify: %v, want %v", err, row.want)
			}
			if _, err := golangJWT.Verify(row.token); (err == nil) != (row.want == nil) {
				b.Fatalf("golang-jwt: %v", err)
			}
			var ours, theirs, least time.Duration
			for b.Loop() {
				ours += batch(func() { _, _ = s.Verify(audience, row.token) })
				theirs += batch(func() { _, _ = golangJWT.Verify(row.token) })
				least += batch(func() { floor(row.token) })
			}
			share := float64(ours) / float64(theirs)
			b.ReportMetric(0, "ns/op") // of all three together: says nothing
			b.ReportMetric(perCall(b, ours), "ns/verify")
			b.ReportMetric(perCall(b, theirs), "ns/golang-jwt")
			b.ReportMetric(perCall(b, least), "ns/floor")
			b.ReportMetric(share, "of-golang-jwt")
			if b.N > 100 && share > row.most {
				b.Errorf("takes %.3f of golang-jwt's time, and may take %.3f", share, row.most)
			}
		})
	}
}

const batchSize = 50

func batch(f func()) time.Duration {
	start := time.Now()
	for range batchSize {
		f()
	}
	return time.Since(start)
}

func perCall(b *testing.B, total time.Duration) float64 {
	return float64(total.Nanoseconds()) / float64(b.N) / batchSize
}

// BenchmarkVerifyAllocations is Verify alone, for its allocations.
func BenchmarkVerifyAllocations(b *testing.B) {
	k := tokens.GenerateKey()
	s := signer(b, tokens.Config{Keys: []tokens.Key{k}})
	for _, row := range benchTokens(b, s, k) {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = s.Verify(audience, row.token)
			}
		})
	}
}

func BenchmarkVerifyParallel(b *testing.B) {
	k := tokens.GenerateKey()
	s := signer(b, tokens.Config{Keys: []tokens.Key{k}})
	valid := sign(b, s, 24*time.Hour)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Verify(audience, valid); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkSign(b *testing.B) {
	s := signer(b, tokens.Config{Keys: []tokens.Key{tokens.GenerateKey()}})
	deadline := time.Now().Add(24 * time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := s.Sign(audience, sessionID, deadline); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIdentify(b *testing.B) {
	e, err := tokens.NewExternal(tokens.ExternalConfig{Key: tokens.GenerateKey(), Verify: accept("alice")})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := e.Identify(b.Context(), audience, "token"); !ok || err != nil {
			b.Fatal(err)
		}
	}
}
