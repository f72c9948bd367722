package main

import (
	"log/slog"
	"net/http"

	"github.com/coatcheck/coatcheck/chimw"
)

// For the tests: the program, in this process and as a process of its own.
var (
	Main = main
	Run  = run
)

// What the tests must agree on with the program.
const Issuer = issuer

var (
	CSS      = pageCSS
	JS       = pageJS
	Label    = label
	Identify = identify
)

// Refuse is app.refuse with nothing but a log.
func Refuse(log *slog.Logger, w http.ResponseWriter, r *http.Request, p *chimw.Problem) {
	(&app{log: log}).refuse(w, r, p)
}
