package main_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"

	example "github.com/coatcheck/coatcheck/cmd/example"
	"github.com/coatcheck/coatcheck/internal/child"
	"github.com/coatcheck/coatcheck/internal/exampletest"
)

// A server that has ended listens nowhere: whoever runs it in a process that
// goes on can start it again.
func TestNothingListensAfterAShutdown(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	log, status := child.NewJournal(), make(chan int, 1)
	go func() {
		defer log.End()
		status <- example.Run(ctx, []string{"-addr", "127.0.0.1:0", "-metrics-addr", "127.0.0.1:0"}, env{}.get, io.Discard, log)
	}()
	addrs := []string{exampletest.URL(t, log)}
	_, metrics, _ := strings.Cut(log.Await(t, "serving metrics"), "url=")
	addrs = append(addrs, strings.TrimSuffix(strings.TrimSpace(metrics), "/metrics"))
	stop()
	if got := <-status; got != 0 {
		t.Fatalf("exit status %d:\n%s", got, log)
	}
	for _, addr := range addrs {
		if conn, err := net.Dial("tcp", strings.TrimPrefix(addr, "http://")); err == nil {
			conn.Close()
			t.Errorf("%s is still served", addr)
		}
	}
}
