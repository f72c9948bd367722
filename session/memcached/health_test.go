package memcached_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	a, b := memcachedtest.Start(t, "-m", "17"), memcachedtest.StartUnix(t)
	s := open(t, memcached.Config{Nodes: []string{"a=" + a.Addr(), "b=" + b.Addr()}, Timeout: time.Second})
	for _, key := range keys(20) {
		wants(t, s.Create(t.Context(), key, make([]byte, 100), time.Hour), nil)
	}
	report := s.Health(t.Context())
	if len(report) != 2 || report[0].Items+report[1].Items != 20 {
		t.Fatalf("%+v", report)
	}
	for i, server := range []*memcachedtest.Server{a, b} {
		h := report[i]
		if h.Name != string("ab"[i]) || h.Addr != server.Addr() || !h.Up || h.Err != nil || h.Connections < 2 || h.Bytes < 100*h.Items || h.Items == 0 {
			t.Errorf("%+v", h)
		}
	}
	if report[0].LimitBytes != 17<<20 {
		t.Errorf("LimitBytes is %d", report[0].LimitBytes)
	}
	b.Stop()
	for _, key := range keys(20) {
		s.Get(t.Context(), key)
	}
	if report = s.Health(t.Context()); !report[0].Up || report[1].Up || report[1].Err == nil {
		t.Errorf("%+v", report)
	}
}

func TestHealthCountsEvictions(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t, "-m", "2")
	s := open(t, memcached.Config{Nodes: []string{server.Addr()}, Timeout: 5 * time.Second})
	for _, key := range keys(200) {
		wants(t, s.Create(t.Context(), key, make([]byte, 100_000), time.Hour), nil)
	}
	if h := s.Health(t.Context())[0]; h.Evictions == 0 || h.Evictions+h.Items != 200 {
		t.Errorf("%+v", h)
	}
}

// full is a report in which no number is there twice, with some that are close by
// their names. Each wants its own place in fullHealth.
const full = "STAT pid 101\r\nSTAT libevent 2.1.12-stable\r\nSTAT rusage_user 0.102\r\n" +
	"STAT max_connections 103\r\nSTAT curr_connections 12\r\nSTAT total_connections 104\r\nSTAT rejected_connections 13\r\n" +
	"STAT connection_structures 105\r\nSTAT limit_maxbytes 18446744073709551615\r\nSTAT bytes_read 106\r\nSTAT bytes_written 107\r\n" +
	"STAT bytes 15\r\nSTAT hash_bytes 108\r\nSTAT curr_items 14\r\nSTAT total_items 109\r\nSTAT evicted_unfetched 110\r\n" +
	"STAT cmd_get 16\r\nSTAT cmd_set 112\r\nSTAT get_hits 113\r\nSTAT evictions 11\r\nSTAT reclaimed 111\r\nEND\r\n"

var fullHealth = memcached.NodeHealth{
	Evictions: 11, Gets: 16, Connections: 12, RejectedConnections: 13, Items: 14, Bytes: 15, LimitBytes: math.MaxUint64,
}

func TestHealthOfFakes(t *testing.T) {
	t.Parallel()
	cut := strings.TrimSuffix(full, "END\r\n")
	for _, test := range []struct {
		name   string
		answer string
		leave  time.Duration // when ctx ends; 0: never
		want   memcached.NodeHealth
		err    error
		after  time.Duration
	}{
		{"each figure has its place", full, 0, fullHealth, nil, 0},
		{"silence ends with the timeout", silence, 0, memcached.NodeHealth{}, os.ErrDeadlineExceeded, memcached.DefaultTimeout},
		{"silence after most of it too", cut, 0, memcached.NodeHealth{}, os.ErrDeadlineExceeded, memcached.DefaultTimeout},
		{"the caller leaves", silence, 10 * time.Millisecond, memcached.NodeHealth{}, context.Canceled, 10 * time.Millisecond},
		{"a report cut off between lines", cut + hangUp, 0, memcached.NodeHealth{}, io.ErrUnexpectedEOF, 0},
		{"a report cut off in a line", cut[:len(cut)-5] + hangUp, 0, memcached.NodeHealth{}, io.ErrUnexpectedEOF, 0},
		{"no report", "ERROR\r\n", 0, memcached.NodeHealth{}, errUnknown, 0},
		{"no report after most of it", cut + "ERROR\r\n", 0, memcached.NodeHealth{}, errUnknown, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := (&fake{answer: func(int, string) string { return test.answer }}).open(t)
				defer s.Close()
				ctx := t.Context()
				if test.leave > 0 {
					var cancel context.CancelFunc
					ctx, cancel = cancelAfter(ctx, test.leave)
					defer cancel()
				}
				start := time.Now()
				got := s.Health(ctx)[0]
				if took := time.Since(start); took != test.after {
					t.Errorf("it took %v, want %v", took, test.after)
				}
				wants(t, got.Err, test.err)
				test.want.Name, test.want.Addr, test.want.Up, test.want.Err = "fake.example:11211", "fake.example:11211", true, got.Err
				if got != test.want {
					t.Errorf("%+v, want %+v", got, test.want)
				}
			})
		})
	}
}

// Up is what calls have found out, and Err what the report did.
func TestHealthOfANodeThatIsDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{probed: true, answer: func(_ int, command string) string {
			if command == "stats" {
				return full
			}
			return silence
		}}
		s := f.open(t)
		defer s.Close()
		if h := s.Health(t.Context())[0]; !h.Up || h.Err != nil {
			t.Errorf("before any call: %+v", h)
		}
		_, _, err := s.Get(t.Context(), "k")
		unknown(t, err)
		if h := s.Health(t.Context())[0]; h.Up || h.Err != nil || h.Items != fullHealth.Items {
			t.Errorf("given up, and yet it reports: %+v", h)
		}
	})
}

func TestHealthOfANodeThatWasNeverCalled(t *testing.T) {
	t.Parallel()
	p := new(patient)
	p.refuses.Store(true)
	s := open(t, memcached.Config{Nodes: []string{"n=fake.example:11211"}, DialContext: p.dial})
	for range 2 {
		if h := s.Health(t.Context())[0]; !h.Up || !errors.Is(h.Err, errPlanted) {
			t.Errorf("%+v", h)
		}
	}
}

func TestHealthAsksBothLists(t *testing.T) {
	t.Parallel()
	f := &fake{answer: func(int, string) string { return full }}
	s := open(t, memcached.Config{Nodes: nodes("b", "a"), Agree: nodes("c", "a", "d"), DialContext: f.dial, Timeout: 5 * time.Second})
	var got []string
	for _, h := range s.Health(t.Context()) {
		wants(t, h.Err, nil)
		got = append(got, h.Name)
	}
	if want := []string{"b", "a", "c", "d"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestHealthOfAStoreThatIsNone(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*memcached.Store{"nil": nil, "zero": new(memcached.Store)} {
		if report := s.Health(t.Context()); len(report) > 0 {
			t.Errorf("%s: %+v", name, report)
		}
	}
	s := (&fake{answer: func(int, string) string { return full }}).openUnhurried(t)
	s.Close()
	if h := s.Health(t.Context())[0]; !errors.Is(h.Err, net.ErrClosed) || h.Up || h.Items != 0 {
		t.Errorf("closed: %+v", h)
	}
}

func TestHealthAsJSON(t *testing.T) {
	t.Parallel()
	h := fullHealth
	h.Name, h.Addr, h.Up = "n", "fake.example:11211", true
	for _, test := range []struct {
		err  error
		want string
	}{
		{nil, `""`},
		{errors.New(`"planted"`), `"\"planted\""`},
	} {
		h.Err = test.err
		want := `{"Name":"n","Addr":"fake.example:11211","Up":true,"Evictions":11,"Gets":16,"Connections":12,"RejectedConnections":13,` +
			`"Items":14,"Bytes":15,"LimitBytes":18446744073709551615,"Err":` + test.want + `}`
		for name, v := range map[string]any{"a value": h, "a pointer": &h} {
			if got, err := json.Marshal(v); err != nil || string(got) != want {
				t.Errorf("%s: %s, %v, want %s", name, got, err, want)
			}
		}
	}
}
