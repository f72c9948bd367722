package main

import (
	"net"
	"net/http"
	"regexp"
	"strings"
)

// curlLine and httpieLine show a token to this server, ready for a shell.
func (a *app) curlLine(r *http.Request, token string) string {
	return "curl -H " + shellQuote(a.header+": "+token) + " " + shellQuote(a.self(r)+"/session")
}

func (a *app) httpieLine(r *http.Request, token string) string {
	return "http " + shellQuote(a.self(r)+"/session") + " " + shellQuote(a.header+":"+token)
}

// shellQuote makes one word of any text, for every POSIX shell.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

var plainHost = regexp.MustCompile(`^([a-zA-Z0-9][a-zA-Z0-9.-]{0,252}|\[[0-9a-fA-F:.]{2,45}\])(:[0-9]{1,5})?$`)

// self is this server's URL, as the client reaches it. What a Host header says
// is the client's to choose: what doesn't look like a host is replaced by the
// address that the request came to.
func (a *app) self(r *http.Request) string {
	host := r.Host
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && !plainHost.MatchString(host) {
		host = addr.String()
	}
	if a.secure || r.TLS != nil {
		return "https://" + host
	}
	return "http://" + host
}
