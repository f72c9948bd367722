package benchmarks

import "net/http"

// A Library keeps sessions its own way. Those from [Libraries] can be used
// concurrently.
type Library interface {
	// Name is what the tables say.
	Name() string

	// Middleware is what its users mount on their routes: it finds the session.
	Middleware(next http.Handler) http.Handler

	// Login begins a session for a user under a new ID, over the one that the
	// request has, which ends.
	Login(w http.ResponseWriter, r *http.Request, u User) error

	// Value reads one of the session's strings, "" if there is none.
	Value(r *http.Request, key string) string

	// Count adds one to the session's counter, saves it and returns it.
	Count(w http.ResponseWriter, r *http.Request) (int, error)
}

// A Guard is a library whose users mount a second middleware on routes that
// need a session.
type Guard interface {
	Guard(next http.Handler) http.Handler
}

// An Issuer is a library that has tokens for sessions that a cookie carries.
type Issuer interface {
	Token(r *http.Request) (string, error)
}

// A KeyHolder is a library that signs tokens with HS256.
type KeyHolder interface {
	Key() []byte
}

// Names of what sessions hold.
const (
	emailKey   = "email"
	noteKey    = "note"
	counterKey = "counter"
)
