package main

import "net/http"

// show answers 200 also when a node is down: the answer is complete then, and
// nobody should restart this process for it.
func (n *nodes) show(w http.ResponseWriter, r *http.Request) {
	answer := struct {
		Store string       `json:"store"`
		Nodes []nodeReport `json:"nodes"`
	}{"embedded", []nodeReport{}}
	if n.health != nil {
		answer.Store, answer.Nodes = "memcached", n.report(r.Context())
	}
	writeJSON(w, http.StatusOK, answer)
}
