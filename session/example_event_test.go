package session_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

// Lifecycles are logged at the level of debugging, so that a logger at its usual
// one shows no more than refusals and failures.
func ExampleLogEvents() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	observe := session.LogEvents(logger)
	ctx := context.Background()
	observe(ctx, session.Event{Kind: session.Created, Manager: "shop"})
	observe(ctx, session.Event{Kind: session.Rejected, Manager: "shop", Reason: "wrong secret"})
	observe(ctx, session.Event{Kind: session.NodeDown, Node: "a", Err: context.DeadlineExceeded})

	// Output:
	// level=INFO msg="session event" event=rejected manager=shop reason="wrong secret"
	// level=WARN msg="session event" event="node down" node=a error="context deadline exceeded"
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// An observer of one's own counts, say, and has the log written as well. It is
// called in the midst of a request, and by many at the same time.
func ExampleEvent() {
	counts := map[session.Kind]int{} // in production: counters of a metrics library, which lock
	logged := session.LogEvents(nil)
	m, err := session.NewManager(session.Config{
		Store: new(memory.Store),
		Observe: func(ctx context.Context, e session.Event) {
			counts[e.Kind]++
			logged(ctx, e)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	s := signIn(m, "alice", "")
	s.Renew()
	if err := s.Commit(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(counts)

	// Output: map[created:1 renewed:1]
}
