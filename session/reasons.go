package session

// What Event.Reason can be. Metrics and alerts of applications go by these
// texts, so they stay as they are, and each is listed at Event.
const (
	reasonUnknown     = "unknown"
	reasonSecret      = "wrong secret"
	reasonEnded       = "ended"
	reasonRenewed     = "renewed"
	reasonNotIssued   = "credential not issued here"
	reasonNoToken     = "never given a token"
	reasonNotRandom   = "not an ID of ours"
	reasonNotExternal = "not an external ID"
	reasonNotTheirs   = "not this subject's"

	reasonRecord = "record"
	reasonIndex  = "index"
	reasonValue  = "value"

	reasonLimit = "limit"
)
