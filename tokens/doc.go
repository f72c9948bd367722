// Package tokens makes and judges the tokens by which API clients show their
// session: a [Signer] wraps a session's ID in a JSON Web Token of ours, and an
// [External] finds the session that belongs to a token somebody else issued.
//
//	keys, err := tokens.ParseKeys(os.Getenv("COATCHECK_KEYS"))
//	if err != nil {
//		log.Fatal(err)
//	}
//	signer, err := tokens.NewSigner(tokens.Config{Issuer: "https://shop.example", Keys: keys})
//	if err != nil {
//		log.Fatal(err)
//	}
//
// The signer is then the Tokens of a chimw.Config, which calls it: an application
// itself needs no more of it than [Signer.SetKeys]. A Signer and an External
// serve any number of goroutines, and have nothing to close.
//
// # The token
//
// A token is a JWS in compact form (RFC 7515 section 7.1), signed with
// HMAC-SHA256. Its header is exactly
//
//	{"alg":"HS256","kid":"<Key.ID>","typ":"<Config.Type>"}
//
// and its claims are one flat object, without white space or escapes:
//
//	iss  Config.Issuer
//	aud  the session manager's name, one string (never an array)
//	sid  the session ID, a random UUID (version 4), lower case with hyphens
//	iat  when it was issued, in whole seconds since 1970
//	exp  when it is dead, the same; never later than the session's deadline
//
// Nothing in it is secret or personal, and nothing read out of it opens
// anything by itself. Any library that knows the key can verify it, and so can
// gateways. But HMAC is symmetric: who can verify can also mint. Give such a
// gateway a key of its own, and derive nothing else from that key.
//
// A token that golang-jwt or another library minted is accepted if it looks
// like the above: the header's bytes as shown, the claims in any order, nbf
// allowed beside them. (Mind aud: golang-jwt writes its RegisteredClaims' as an
// array, unless told otherwise; its MapClaims' as given.) Any other claim is
// refused, not ignored. RFC 7519 section 4 leaves that to the application, and a
// token of another kind, minted by a service that happens to share the key,
// differs first of all in what it claims. It also leaves no room for EXP beside
// exp.
//
// # What Verify does, in this order
//
//   - The bytes up to the first dot must equal one of the headers that this
//     signer writes, one for each key. That names the key, and leaves no choice
//     of algorithm, no crit, no jku, jwk, x5c or b64 to misunderstand.
//   - The length must be at most [MaxTokenBytes].
//   - The signature must be canonical base64url, and the HMAC of the raw bytes
//     in front of it, compared in constant time.
//   - Only then are the claims decoded, strictly, and judged.
//
// So JSON from an attacker is never parsed, and a forged token costs one HMAC
// and no allocation.
//
// # Keys
//
// The first [Key] signs, all verify. A rotation is three calls of
// [Signer.SetKeys] (or three rollouts): add the new key at the end, move it to
// the front, and, once every token signed by the old one has expired or been
// replaced, remove the old one. What a removed key signed is refused at once.
//
// Keys come from a secret store by [ParseKeys] (an environment variable),
// [LoadKeys] (a file) or [NewKey]. A line for either is made with
//
//	echo "2026-a:$(openssl rand -base64 32)"
//
// # Other people's tokens
//
// An [External] hands a token that is not ours to a function of the application,
// which names its holder, and derives from that name the ID of a session: a UUID
// of version 8, which no token of ours ever wraps. [APIKeys] is such a function,
// for a fixed list.
//
// # Compatibility
//
// Tokens live in the wild, and processes of two versions verify each other's
// during a rollout. The format above, the derivation of keys by [Key.Derive]
// and that of IDs by [External] do not change within a major version; golden
// tests hold them. A claim would be added by first accepting it in one release,
// and writing it in a later one.
package tokens
