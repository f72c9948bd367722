package chimw

import (
	"context"
	"errors"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// Defaults and limits of a [Config].
const (
	DefaultHeader  = "X-Auth-Token"
	DefaultMaxBody = 64 << 10

	maxMaxBody = 16 << 20
	maxDomain  = 253
)

// ConfigError is the type of every mistake that New reports.
type ConfigError = session.ConfigError

// Tokens signs and verifies the tokens that wrap a session's ID.
// *tokens.Signer is one. Implementations MUST be safe for concurrent use.
type Tokens interface {
	// Sign returns a token for a session, which MUST NOT outlive deadline,
	// and when it expires. The audience is the manager's name.
	Sign(audience string, id [16]byte, deadline time.Time) (token string, expires time.Time, err error)

	// Verify returns the ID in a token that is authentic, of this audience
	// and not expired. Its error matches errors.ErrUnsupported if the token
	// isn't of this kind at all, so that another kind may be tried.
	Verify(audience, token string) (id [16]byte, err error)
}

// Reissuer may be implemented by [Tokens] to have tokens replaced in time.
type Reissuer interface {
	// ShouldReissue advises on a token that Verify has accepted.
	ShouldReissue(token string) bool
}

// External identifies tokens that somebody else issued. *tokens.External is
// one. Implementations MUST be safe for concurrent use.
type External interface {
	// Identify returns the version 8 UUID that stands for the token's holder.
	// ok is false for a token that is refused; err says that it could not
	// be judged.
	Identify(ctx context.Context, audience, token string) (id [16]byte, ok bool, err error)
}

// A Config says how a [Middleware] carries sessions. Only Manager is required;
// every other field's zero value is right for production. New copies it, and
// reports what contradicts itself, such as Partitioned beside InsecureCookie.
type Config struct {
	// Manager keeps the sessions. Required.
	Manager *session.Manager

	// Tokens signs the tokens of API clients. nil: a token is a credential,
	// as random as a cookie's, and only sessions that began with one have one.
	Tokens Tokens

	// External takes tokens that are not ours by their form. nil: refused.
	// Without Tokens, 64 characters of base64url can be ours, and then are.
	External External

	// Header is where API clients show their token and receive a fresh one.
	// "" means X-Auth-Token. Not one that requests carry anyway, such as Accept.
	// Of middlewares that are nested each needs a Header of its own, and NoBearer
	// all but one: a token of another manager is refused, whoever else takes it.
	Header string

	// BodyField is the top-level string field in which a JSON body may show a
	// token, for requests that show it nowhere else. Bodies count that say
	// they are application/json; what says so and is none is refused with
	// 400, since it might show a token. Printable ASCII without quotes and
	// backslashes. "": bodies are left alone.
	BodyField string

	// MaxBody is how many bytes of a JSON body are read for BodyField. A
	// larger one is refused with 413, since it might hold a token. 0 means
	// 64 KiB; at most 16 MiB.
	MaxBody int64

	// NoCookie, NoHeader and NoBearer leave a carrier out: cookies; Header and
	// Authorization; Authorization alone.
	NoCookie, NoHeader, NoBearer bool

	// RefreshTokens sends a fresh token in the response's Header when the one
	// shown is due for it, as Tokens says; see Reissuer.
	RefreshTokens bool

	// Persistent lets the cookie outlive the browser, until the session's
	// absolute deadline.
	Persistent bool

	// Domain shares the cookie with subdomains, which is rarely wanted: it
	// gives up the __Host- prefix for __Secure-. "": the host alone has it.
	Domain string

	// Partitioned keeps a cookie per top-level site, for embedded pages (CHIPS).
	Partitioned bool

	// SameSite is the cookie's. Zero means Lax. None lets other sites' requests
	// carry it, as embedded pages need; CrossOrigin then has to know these sites.
	SameSite http.SameSite

	// InsecureCookie sends the cookie over plain http, without Secure and
	// without a prefix: for development only.
	InsecureCookie bool

	// CrossOrigin judges requests that could be forged by another site. nil
	// means a new http.CrossOriginProtection, which trusts no other origin.
	CrossOrigin *http.CrossOriginProtection

	// Fingerprint returns what SetFingerprint would be given for a subject
	// now; RequireSubject ends sessions whose fingerprint differs, and answers
	// an error with 503. It must be safe for concurrent use. nil: none.
	Fingerprint func(ctx context.Context, subject string) (string, error)

	// Realm is the challenges' realm: printable ASCII without quotes and
	// backslashes. "" means the manager's name.
	Realm string

	// ClearSiteData is the value of the Clear-Site-Data header sent when a
	// session is destroyed, such as `"cache", "storage"`. Printable ASCII. "": none.
	ClearSiteData string

	// ErrorHandler answers requests that the middleware refuses or that fail
	// in a commit, with headers already set as the problem demands. It must be
	// safe for concurrent use. nil means an RFC 9457 problem document.
	ErrorHandler func(w http.ResponseWriter, r *http.Request, p *Problem)
}

func (c Config) withDefaults() Config {
	if c.Header == "" {
		c.Header = DefaultHeader
	}
	c.Header = textproto.CanonicalMIMEHeaderKey(c.Header)
	if c.MaxBody == 0 {
		c.MaxBody = DefaultMaxBody
	}
	if c.SameSite == 0 {
		c.SameSite = http.SameSiteLaxMode
	}
	if c.CrossOrigin == nil {
		c.CrossOrigin = http.NewCrossOriginProtection()
	}
	if c.Realm == "" {
		c.Realm = c.Manager.Name()
	}
	if c.ErrorHandler == nil {
		c.ErrorHandler = WriteProblem
	}
	return c
}

// check reports every mistake of a Config that has its defaults.
func (c Config) check() error {
	var errs []error
	wrong := func(field string, value any, reason string) {
		errs = append(errs, &ConfigError{Field: "chimw.Config." + field, Value: value, Reason: reason})
	}
	if c.Manager.Name() == "" {
		wrong("Manager", nil, "is required")
	}
	if !isToken(c.Header) || reserved(c.Header) {
		wrong("Header", c.Header, "must be a header's name, and not one that requests carry anyway")
	}
	if c.NoCookie && c.NoHeader && c.BodyField == "" {
		wrong("NoHeader", true, "leaves no carrier at all")
	}
	if !isQuotable(c.BodyField) {
		wrong("BodyField", c.BodyField, "must be printable ASCII without quotes and backslashes")
	}
	if c.MaxBody < 0 || c.MaxBody > maxMaxBody {
		wrong("MaxBody", c.MaxBody, "must be from 1 to 16 MiB")
	}
	if c.RefreshTokens {
		if _, ok := c.Tokens.(Reissuer); !ok {
			wrong("RefreshTokens", true, "needs Tokens that implement Reissuer")
		}
	}
	if !isQuotable(c.Realm) {
		wrong("Realm", c.Realm, "must be printable ASCII without quotes and backslashes")
	}
	if !isFieldValue(c.ClearSiteData) {
		wrong("ClearSiteData", c.ClearSiteData, "must be printable ASCII")
	}
	c.checkCookie(wrong)
	return errors.Join(errs...)
}

func (c Config) checkCookie(wrong func(field string, value any, reason string)) {
	switch c.SameSite {
	case http.SameSiteLaxMode, http.SameSiteStrictMode:
	case http.SameSiteNoneMode:
		if c.InsecureCookie { // RFC 6265bis 5.6.7.2
			wrong("SameSite", "None", "needs a Secure cookie: it contradicts InsecureCookie")
		}
	default:
		wrong("SameSite", int(c.SameSite), "must be Lax, Strict or None")
	}
	if c.Partitioned && c.InsecureCookie { // CHIPS
		wrong("Partitioned", true, "needs a Secure cookie: it contradicts InsecureCookie")
	}
	if c.Domain != "" && !isDomain(c.Domain) {
		wrong("Domain", c.Domain, "must be a domain name, without a port")
	}
	if c.NoCookie && (c.Domain != "" || c.Persistent || c.Partitioned) {
		wrong("NoCookie", true, "contradicts the settings of a cookie")
	}
}

// reserved reports whether a header says something else already, or can be set
// by another site's page (the Fetch standard's safelist).
func reserved(name string) bool {
	switch name {
	case "Authorization", "Connection", "Cookie", "Date", "Dnt", "Downlink", "Dpr", "Ect", "Expect", "From", "Host", "Keep-Alive", //nolint:misspell // effective connection type
		"Location", "Origin", "Pragma", "Priority", "Range", "Referer", "Retry-After", "Rtt", "Save-Data", "Server", "Set-Cookie",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade", "User-Agent", "Vary", "Via", "Viewport-Width", "Width", "Www-Authenticate":
		return true
	}
	for _, family := range []string{"Accept", "Access-Control-", "Cache-", "Clear-", "Content-", "If-", "Proxy-", "Sec-"} {
		if strings.HasPrefix(name, family) {
			return true
		}
	}
	return false
}

// isToken reports whether s is a token of RFC 9110 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !isAlphanumeric(c) && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func isFieldValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func isQuotable(s string) bool { return isFieldValue(s) && !strings.ContainsAny(s, `"\`) }

func isDomain(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if !isAlphanumeric(label[i]) && label[i] != '-' {
				return false
			}
		}
	}
	return len(s) <= maxDomain
}
