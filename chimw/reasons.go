package chimw

// What session.Event.Reason can be in this package's events. Metrics and alerts
// of applications go by these texts, so they stay as they are, and each is
// listed at session.Event.
const (
	reasonToken           = "token"
	reasonExternal        = "external token"
	reasonMalformedCookie = "malformed cookie"
	reasonSeveralCookies  = "cookies that differ"
	reasonSeveralTokens   = "more than one token"
	reasonBody            = "body"
	reasonCrossOrigin     = "cross-origin"

	reasonNoSession   = "no session"
	reasonNoSubject   = "no subject"
	reasonNoToken     = "no token"
	reasonNotAllowed  = "not allowed"
	reasonFingerprint = "another fingerprint"

	reasonCommit     = "commit"
	reasonLate       = "late change"
	reasonAfterError = "after an error"
)
