// Package calls_test holds every call in the tables of ../../migrating.md, the old
// ones and the new ones, a function for each row: what compiles here exists, and
// TestTables compares. None of it is ever run.
package calls_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/tokens"
)

// What the applications have anyway.
var (
	ctx     context.Context
	t       testing.TB
	w       http.ResponseWriter
	r       *http.Request
	router  chi.Router
	next    http.Handler
	value   string
	user    string
	seconds int
	when    time.Time
	err     error
	text    string // of a JWT
)

const month = 30 * 24 * time.Hour

// What the new one has.
const (
	name    session.Key[string]   = "name"
	visits  session.Key[int]      = "visits"
	flashes session.Key[[]string] = "flashes"
)

var (
	store    session.Store
	manager  *session.Manager
	mw       *chimw.Middleware
	s        *session.Session
	keys     []tokens.Key
	sealKeys []session.SealKey
	signer   *tokens.Signer
	external *tokens.External
	problem  func(http.ResponseWriter, *http.Request, *chimw.Problem)
)
