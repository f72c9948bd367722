package session_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

func TestE3Events(t *testing.T) {
	t.Parallel()
	t.Run("E3 created, renewed, destroyed, rejected", func(t *testing.T) {
		t.Parallel()
		var seen events
		m := newManager(t, session.Config{Observe: seen.observe, Name: "shop"})
		s, c := begin(t, m)
		first := s.ID()
		s.SetSubject("alice")
		commit(t, s)
		second := s.ID()
		wantDead(t, m, c)
		s.Destroy()
		commit(t, s)
		wantDead(t, m, c)
		for _, want := range []session.Event{
			{Kind: session.Created, Manager: "shop", ID: first},
			{Kind: session.Renewed, Manager: "shop", ID: first, Successor: second, Subject: "alice"},
			{Kind: session.Rejected, Manager: "shop", ID: first, Successor: second, Reason: "renewed"},
			{Kind: session.Destroyed, Manager: "shop", ID: second, Subject: "alice"},
		} {
			found := false
			for _, got := range seen.of(want.Kind) {
				found = found || got == want
			}
			if !found {
				t.Errorf("%+v is missing in %+v", want, seen.all)
			}
		}
	})
	t.Run("E3 expired", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var seen events
			m := newManager(t, session.Config{Observe: seen.observe, IdleTimeout: time.Minute})
			s := login(t, m, "alice")
			time.Sleep(time.Minute)
			wantDead(t, m, s.Credential())
			want := session.Event{Kind: session.Expired, Manager: "session", ID: s.ID(), Subject: "alice"}
			if got := seen.of(session.Expired); len(got) != 1 || got[0] != want {
				t.Errorf("%+v, want %+v once", got, want)
			}
		})
	})
}

func TestEventsInALog(t *testing.T) {
	t.Parallel()
	t.Run("E2 E3 they are logged without secrets", func(t *testing.T) {
		t.Parallel()
		var buf bytes.Buffer
		log := slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: slog.LevelDebug}))
		m := newManager(t, session.Config{Observe: session.LogEvents(log)})
		s, c := begin(t, m)
		s.Renew()
		commit(t, s)
		wantDead(t, m, c)
		m.Report(t.Context(), session.Event{Kind: session.NodeDown, Node: "a", Reason: "why", Err: errors.New("oops")})
		m.Report(t.Context(), session.Event{Kind: session.Dropped})
		for _, want := range []string{
			`level=DEBUG msg="session event" event=created manager=session id=` + c.ID().String(),
			"event=renewed", `successor=` + s.ID().String(), "level=INFO", "reason=renewed",
			`level=WARN msg="session event" event="node down" manager=session reason=why node=a error=oops`, `level=ERROR msg="session event" event=dropped`,
		} {
			if !strings.Contains(buf.String(), want) {
				t.Errorf("%s is missing in\n%s", want, &buf)
			}
		}
		if strings.Contains(buf.String(), c.Reveal()[22:]) {
			t.Error("a secret is in the log")
		}
	})
}
