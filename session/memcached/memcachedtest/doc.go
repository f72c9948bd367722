// Package memcachedtest starts real memcached servers for tests, as
// net/http/httptest does for HTTP:
//
//	server := memcachedtest.Start(t)
//	store, err := memcached.New(memcached.Config{Nodes: []string{server.Addr()}})
//	if err != nil {
//		t.Fatal(err)
//	}
//	defer store.Close()
//
// Each [Server] is a process of its own on a free port of 127.0.0.1, or on a
// unix socket, that ends with its test. Whatever goes wrong with it ends that
// test, by a Fatal: no function returns an error. Tests may run in parallel,
// each with its servers.
//
// # The binary
//
// The memcached binary must be in $PATH. Where it is not, a test that needs it
// is skipped, and says so; with the environment variable
// COATCHECK_REQUIRE_MEMCACHED set to anything it fails instead, so that a build
// can't pass by testing nothing.
//
// A test that needs no power over the process asks for [Shared], which is the
// server at $MEMCACHED_ADDR if that is set:
//
//	store, err := memcached.New(memcached.Config{Nodes: []string{memcachedtest.Shared(t)}})
//
// # What it was asked, and what it holds
//
//	gets := server.Stat(t, "cmd_get")
//	item := server.Dump(t)["key"] // which gets it
//	if string(item.Value) != "value" || time.Until(item.Expires) < 50*time.Minute || gets != 0 {
//		t.Errorf("%q until %v, after %d gets", item.Value, item.Expires, gets)
//	}
//	if n := server.Stats(t, "items")["items:1:number"]; n != "1" {
//		t.Errorf("%s items in the smallest class", n)
//	}
//
// # How it fails
//
// It can be stopped, restarted, and paused, which is how most servers really
// fail: connected, and silent.
//
//	server.Pause()
//	if _, _, err := store.Get(t.Context(), "key"); err == nil {
//		t.Error("a paused server has answered")
//	}
//	server.Resume()
//	if _, ok := server.Dump(t)["key"]; !ok {
//		t.Error("it has forgotten what it held")
//	}
//
//	server.Stop()
//	server.Restart() // where it was, and empty
//	if n := len(server.Dump(t)); n != 0 {
//		t.Errorf("%d items are left", n)
//	}
//
// One that keeps its items in a file is restarted without losing them, if it is
// shut down before:
//
//	server := memcachedtest.StartUnix(t, "-e", memcachedtest.MemoryFile(t))
//
// Stop kills it, and loses them all the same:
//
//	before := server.PID()
//	server.Shutdown()
//	server.Restart()
//	if _, ok := server.Dump(t)["key"]; !ok || server.PID() == before {
//		t.Errorf("process %d, after %d, has the item: %t", server.PID(), before, ok)
//	}
//
// # TLS and passwords
//
// A server with TLS or passwords (-Z, -Y) is started by a [Config] with a
// DialContext that can talk to it:
//
//	dial, err := memcached.Authenticated(nil, "user", "password")
//	if err != nil {
//		t.Fatal(err)
//	}
//	server := memcachedtest.Config{DialContext: dial}.Start(t, "-Y", file)
package memcachedtest
