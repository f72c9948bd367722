// Package memcachedtest starts real memcached servers for tests, as
// net/http/httptest does for HTTP:
//
//	server := memcachedtest.Start(t)
//	store, err := memcached.New(memcached.Config{Nodes: []string{server.Addr()}})
//
// Each [Server] is a process of its own on a free port of 127.0.0.1, or on a
// unix socket, that ends with its test. It can be stopped, restarted, empty or
// warm, and paused, which is how most servers really fail: connected, and silent.
//
// A server with TLS or passwords (-Z, -Y) is started by a [Config] with a
// DialContext that can talk to it.
//
// The memcached binary must be in $PATH. Where it is not, a test that needs it
// is skipped, and says so; with the environment variable
// COATCHECK_REQUIRE_MEMCACHED set to anything it fails instead, so that a build
// can't pass by testing nothing.
//
// A test that needs no power over the process asks for [Shared], which is the
// server at $MEMCACHED_ADDR if that is set.
package memcachedtest
