package chimw_test

import (
	"net/http"
	"testing"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
)

// BenchmarkRequest compares a request through the middleware with one past it.
func BenchmarkRequest(b *testing.B) {
	h := build(b, func(m *session.Config, _ *chimw.Config) { m.Observe = unseen })
	tok, _ := h.token("client")
	for _, c := range []struct {
		name    string
		handler http.Handler
		shown   string
	}{
		{"without", http.HandlerFunc(greet), "X: y"},
		{"anonymous", h.mw.Handler(http.HandlerFunc(greet)), "X: y"},
		{"cookie", h.mw.Handler(http.HandlerFunc(read)), cookieOf(h.session("me"))},
		{"token", h.mw.Handler(http.HandlerFunc(read)), header(tok)},
		{"forged token", h.mw.Handler(http.HandlerFunc(greet)), header(flip(tok))},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := request("GET", "", c.shown)
			b.ReportAllocs()
			for b.Loop() {
				answerTo(c.handler, r)
			}
		})
	}
}
