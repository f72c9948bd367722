package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"
)

// peers are the modules that the results depend on.
var peers = []string{
	"github.com/alexedwards/scs/v2",
	"github.com/gorilla/sessions",
	"github.com/gorilla/securecookie",
	"github.com/go-chi/jwtauth/v5",
	"github.com/lestrrat-go/jwx/v2",
	"github.com/bradfitz/gomemcache",
	"github.com/go-chi/chi/v5",
}

// machine returns what was measured with, as benchmark formats say it: lines of
// keys and values before the results.
func machine(ctx context.Context, rounds int, scale float64) string {
	ask := func(name string, args ...string) string {
		out, err := output(ctx, name, args...)
		if err != nil {
			return "unknown"
		}
		return out
	}
	var b strings.Builder
	for _, line := range [][2]string{
		{"date", time.Now().UTC().Format(time.DateOnly)},
		{"commit", ask("git", "describe", "--tags", "--always", "--dirty")},
		{"cores", fmt.Sprint(runtime.NumCPU())},
		{"go", runtime.Version()},
		{"memcached", strings.TrimPrefix(ask("memcached", "-V"), "memcached ")},
		{"peers", strings.ReplaceAll(ask("go", append([]string{"list", "-m", "-f", "{{.Path}} {{.Version}}"}, peers...)...), "\n", ", ")},
		{"rounds", fmt.Sprint(rounds)},
		{"scale", fmt.Sprint(scale)},
	} {
		b.WriteString(line[0] + ": " + line[1] + "\n")
	}
	return b.String()
}
