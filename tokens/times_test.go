package tokens_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/tokens"
)

func TestTimes(t *testing.T) {
	t.Parallel()
	k := key(t, "k1", 1)

	t.Run("J6 exp is never later than the deadline", func(t *testing.T) {
		t.Parallel()
		bubble(t, func(t *testing.T) {
			for range 2000 {
				elapse(time.Duration(rand.Int64N(int64(time.Hour))))
				c := tokens.Config{Keys: []tokens.Key{k}}
				if rand.IntN(2) == 0 {
					c.TTL = time.Second + time.Duration(rand.Int64N(int64(time.Hour)))
				}
				now := time.Now()
				deadline := now.Add(time.Second + time.Duration(rand.Int64N(int64(2*time.Hour))))
				checkExpiry(t, signer(t, c), c.TTL, now, deadline)
			}
		})
	})
	t.Run("J4 dead at exp, whatever the leeway", func(t *testing.T) {
		t.Parallel()
		for _, leeway := range []time.Duration{tokens.NoLeeway, 0, time.Minute} {
			bubble(t, func(t *testing.T) {
				s := signer(t, tokens.Config{Keys: []tokens.Key{k}, Leeway: leeway})
				token := sign(t, s, 10*time.Second)
				elapse(10*time.Second - time.Nanosecond)
				accepted(t, s, token)
				elapse(time.Nanosecond)
				refused(t, s, token, tokens.ErrExpired)
				elapse(time.Hour)
				refused(t, s, token, tokens.ErrExpired)
			})
		}
	})
	for _, claim := range []string{"iat", "nbf"} {
		for leeway, allowed := range map[time.Duration]int64{tokens.NoLeeway: 0, 0: 30, 7 * time.Second: 7, time.Minute: 60} {
			t.Run(fmt.Sprintf("J5 %s in the future, Leeway %v", claim, leeway), func(t *testing.T) {
				t.Parallel()
				bubble(t, func(t *testing.T) {
					s := signer(t, tokens.Config{Keys: []tokens.Key{k}, Leeway: leeway})
					now := time.Now().Unix()
					accepted(t, s, forge(k.Reveal(), header("k1"), payload(claim, fmt.Sprint(now+allowed))))
					refused(t, s, forge(k.Reveal(), header("k1"), payload(claim, fmt.Sprint(now+allowed+1))), tokens.ErrNotYetValid)
				})
			})
		}
	}
}

func checkExpiry(t *testing.T, s *tokens.Signer, ttl time.Duration, now, deadline time.Time) {
	t.Helper()
	token, expires, err := s.Sign(audience, sessionID, deadline)
	if err != nil {
		t.Fatal(err)
	}
	want := deadline
	if ttl > 0 && now.Add(ttl).Before(deadline) {
		want = now.Add(ttl)
	}
	if late := want.Sub(expires); late < 0 || late >= time.Second {
		t.Fatalf("expires at %v, want up to a second before %v", expires, want)
	}
	if got := claimsOf(t, token)["exp"]; got != float64(expires.Unix()) || expires.Nanosecond() != 0 {
		t.Fatalf("exp is %v, returned was %v", got, expires)
	}
	accepted(t, s, token)
}

func TestShouldReissue(t *testing.T) {
	t.Parallel()
	old, fresh := key(t, "old", 1), key(t, "new", 2)

	t.Run("past half its life", func(t *testing.T) {
		t.Parallel()
		bubble(t, func(t *testing.T) {
			s := signer(t, tokens.Config{Keys: []tokens.Key{old}, TTL: 100 * time.Second})
			token := sign(t, s, time.Hour)
			for _, step := range []struct {
				sleep time.Duration
				want  bool
			}{{0, false}, {50*time.Second - 1, false}, {1, true}, {50*time.Second - 1, true}, {1, false}} {
				elapse(step.sleep)
				if got := s.ShouldReissue(token); got != step.want {
					t.Errorf("%v before exp: %t, want %t", 100*time.Second-time.Since(time.Unix(946684800, 0)), got, step.want)
				}
			}
		})
	})
	t.Run("J14 signed by a key that is no longer the first", func(t *testing.T) {
		t.Parallel()
		s := signer(t, tokens.Config{Keys: []tokens.Key{old}})
		token := sign(t, s, time.Hour)
		for _, step := range []struct {
			keys []tokens.Key
			want bool
		}{{[]tokens.Key{old, fresh}, false}, {[]tokens.Key{fresh, old}, true}, {[]tokens.Key{fresh}, false}} {
			if err := s.SetKeys(step.keys...); err != nil {
				t.Fatal(err)
			}
			if got := s.ShouldReissue(token); got != step.want {
				t.Errorf("with keys %v: %t, want %t", step.keys, got, step.want)
			}
		}
	})
	t.Run("what Verify would not accept", func(t *testing.T) {
		t.Parallel()
		s := signer(t, tokens.Config{Keys: []tokens.Key{fresh, old}})
		good := forge(old.Reveal(), header("old"), payload())
		if !s.ShouldReissue(good) {
			t.Fatal("false for a good token of an older key")
		}
		for name, token := range map[string]string{
			"nothing":   "",
			"forged":    forge(fresh.Reveal(), header("old"), payload()),
			"bad claim": forge(old.Reveal(), header("old"), payload("x", "1")),
		} {
			if s.ShouldReissue(token) {
				t.Errorf("%s: true", name)
			}
		}
	})
}
