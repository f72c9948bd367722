package main

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// prefersHTML reports whether the client names text/html, and likes it no less
// than the other type that it could get. That anything goes ("*/*", as programs
// send) is not asking for a page. RFC 9110 section 12.5.1.
func prefersHTML(r *http.Request, other string) bool {
	weights := accepted(r.Header)
	class, _, _ := strings.Cut(other, "/")
	var rival float64
	for _, mediaRange := range []string{"*/*", class + "/*", other} { // the closest one counts
		if weight, ok := weights[mediaRange]; ok {
			rival = weight
		}
	}
	html := weights["text/html"]
	return html > 0 && html >= rival
}

// accepted returns the media ranges of the Accept header with their weights,
// from 0 to 1. What is out of form is left out.
func accepted(h http.Header) map[string]float64 {
	weights := make(map[string]float64)
	for part := range strings.SplitSeq(strings.Join(h["Accept"], ","), ",") {
		mediaRange, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		weight := 1.0
		if q, ok := params["q"]; ok {
			if weight, err = strconv.ParseFloat(q, 64); err != nil || !(0 <= weight && weight <= 1) {
				continue
			}
		}
		weights[mediaRange] = weight
	}
	return weights
}
