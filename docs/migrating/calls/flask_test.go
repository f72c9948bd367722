package calls_test

import (
	"time"

	"github.com/coatcheck/coatcheck/chimw"
	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
)

func _() { memcached.New(memcached.Config{Nodes: []string{"10.0.0.1:11211"}}) }

func _() { _ = session.Config{IdleTimeout: 30 * time.Second} }

func _() { _ = chimw.Config{Header: "X-Auth-Token", BodyField: "token"} }

func _() {
	name.Get(s)
	name.Put(s, value)
}

func _() { s.ExpireAt(when) }

func _() { s.Destroy() }

func _() {
	_ = chimw.Config{External: external}
	_ = chimw.Config{Tokens: signer}
}

func _() { mw.IssueToken(ctx, manager.New()) }
