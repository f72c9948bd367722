package memcached_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session/memcached"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

const (
	day  = 24 * time.Hour
	year = 365 * day
)

func TestExpirationSent(t *testing.T) {
	t.Parallel()
	const thirtyDays = 30 * 24 * 60 * 60
	const last = 1<<31 - 1 // January 2038
	for _, test := range []struct {
		name string
		now  time.Time
		ttl  time.Duration
		want int64 // seconds, or a Unix time
	}{
		{"M4 1 ns", date(2026), 1, 3},
		{"M4 under a second", date(2026), time.Second - 1, 3},
		{"M4 a second", date(2026), time.Second, 3},
		{"M4 over a second", date(2026), time.Second + 1, 4},
		{"M4 an hour", date(2026), time.Hour, 3602},
		{"M4 30 days less two seconds", date(2026), 30*day - 2*time.Second, thirtyDays},
		{"M4 30 days", date(2026), 30 * day, date(2026).Unix() + thirtyDays + 2},
		{"M4 30 days and a second", date(2026), 30*day + time.Second, date(2026).Unix() + thirtyDays + 3},
		{"M4 31 days", date(2026), 31 * day, date(2026).Unix() + 31*24*60*60 + 2},
		{"M4 past 2038 from before", date(2026), 15 * year, last},
		{"M4 the longest of all", date(2026), 1<<63 - 1, last},
		{"M4 31 days on the last New Year's Eve", date(2038).Add(-day), 31 * day, thirtyDays},
		{"M4 an hour after 2038", date(2040), time.Hour, 3602},
		{"M4 31 days after 2038", date(2040), 31 * day, thirtyDays},
		{"M4 the longest of all after 2038", date(2040), 1<<63 - 1, thirtyDays},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				<-time.After(time.Until(test.now))
				f := &fake{answer: func(int, string) string { return "STORED\r\n" }}
				s := f.open(t)
				if err := s.Create(t.Context(), "k", nil, test.ttl); err != nil {
					t.Fatal(err)
				}
				if err := s.Update(t.Context(), "k", nil, 1, test.ttl); err != nil {
					t.Fatal(err)
				}
				want := fmt.Sprintf("[add k 0 %d 0 cas k 0 %d 0 1]", test.want, test.want)
				if got := fmt.Sprint(f.sent()); got != want {
					t.Errorf("sent %s, want %s", got, want)
				}
				s.Close()
			})
		})
	}
}

func date(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }

// What a real node makes of it: never for ever, never before its time.
func TestExpirationStored(t *testing.T) {
	t.Parallel()
	server := memcachedtest.Start(t)
	s := open(t, memcached.Config{Nodes: []string{server.Addr()}})
	ttls := []time.Duration{1, time.Second, time.Hour, 30 * day, 30*day + time.Second, 31 * day, year}
	start := time.Now()
	for i, ttl := range ttls {
		if err := s.Create(t.Context(), fmt.Sprint("create.", i), nil, ttl); err != nil {
			t.Fatal(err)
		}
		if err := s.Create(t.Context(), fmt.Sprint("update.", i), nil, time.Minute); err != nil {
			t.Fatal(err)
		}
		_, version, err := s.Get(t.Context(), fmt.Sprint("update.", i))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Update(t.Context(), fmt.Sprint("update.", i), nil, version, ttl); err != nil {
			t.Fatal(err)
		}
	}
	items := server.Dump(t)
	took := time.Since(start)
	for i, ttl := range ttls {
		for _, key := range []string{fmt.Sprint("create.", i), fmt.Sprint("update.", i)} {
			t.Run(fmt.Sprintf("M4 %s for %v", strings.Trim(key, ".0123456789"), ttl), func(t *testing.T) {
				item, ok := items[key]
				if !ok && ttl < took {
					return
				}
				// The node's clock shows whole seconds, and lags by up to two.
				late := item.Expires.Sub(start.Add(ttl))
				if late < -time.Second || late > 3*time.Second+took {
					t.Errorf("expires %v after its ttl (%v), found %v", late, item.Expires, ok)
				}
			})
		}
	}
}
