package tokens_test

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/tokens"
)

func TestSetKeys(t *testing.T) {
	t.Parallel()
	old, fresh := key(t, "old", 1), key(t, "new", 2)

	t.Run("J14 add, promote, remove", func(t *testing.T) {
		t.Parallel()
		bubble(t, func(t *testing.T) {
			s := signer(t, tokens.Config{Keys: []tokens.Key{old}})
			set := func(keys ...tokens.Key) {
				t.Helper()
				if err := s.SetKeys(keys...); err != nil {
					t.Fatal(err)
				}
			}
			byOld := sign(t, s, time.Hour)
			byFresh := forge(fresh.Reveal(), header("new"), payload())
			refused(t, s, byFresh, tokens.ErrUnknownKey)

			set(old, fresh)
			accepted(t, s, byOld)
			accepted(t, s, byFresh) // of a process that has been promoted already
			if got := part(t, sign(t, s, time.Hour), 0); got != header("old") {
				t.Errorf("added: signed with %s", got)
			}
			set(fresh, old)
			accepted(t, s, byOld)
			if got := part(t, sign(t, s, time.Hour), 0); got != header("new") {
				t.Errorf("promoted: signed with %s", got)
			}
			set(fresh)
			refused(t, s, byOld, tokens.ErrUnknownKey)
			accepted(t, s, byFresh)
		})
	})
	t.Run("J14 another secret under the same ID", func(t *testing.T) {
		t.Parallel()
		bubble(t, func(t *testing.T) {
			s := signer(t, tokens.Config{Keys: []tokens.Key{old}})
			token := sign(t, s, time.Hour)
			if err := s.SetKeys(key(t, "old", 7)); err != nil {
				t.Fatal(err)
			}
			refused(t, s, token, tokens.ErrSignature)
			accepted(t, s, sign(t, s, time.Hour))
		})
	})
	t.Run("all or nothing", func(t *testing.T) {
		t.Parallel()
		s := signer(t, tokens.Config{Keys: []tokens.Key{old}})
		token := sign(t, s, time.Hour)
		for name, keys := range map[string][]tokens.Key{
			"none":       nil,
			"the zero":   {fresh, {}},
			"one ID":     {fresh, old, key(t, "new", 3)},
			"one secret": {fresh, key(t, "again", 2)},
		} {
			err := s.SetKeys(keys...)
			if err == nil {
				t.Errorf("%s: no error", name)
				continue
			}
			if mistakes := configErrors(t, err); len(mistakes) != 1 {
				t.Errorf("%s: %v", name, err)
			}
			accepted(t, s, token)
			if got := part(t, sign(t, s, time.Hour), 0); got != header("old") {
				t.Errorf("%s: signs with %s", name, got)
			}
		}
	})
}

// A client holds a token, shows it as fast as it can, and takes a fresh one
// when the signer advises it to.
type client struct {
	signer *tokens.Signer
	token  atomic.Pointer[string]
	shown  atomic.Int64
}

func (c *client) reissue(t *testing.T) {
	token, _, err := c.signer.Sign(audience, sessionID, time.Now().Add(time.Hour))
	if err != nil {
		t.Errorf("Sign: %v", err)
		return
	}
	c.token.Store(&token)
}

func (c *client) run(t *testing.T, stop *atomic.Bool, refusals *atomic.Int64) {
	for !stop.Load() {
		token := *c.token.Load()
		if id, err := c.signer.Verify(audience, token); err != nil || id != sessionID {
			refusals.Add(1)
			t.Errorf("a valid token was refused: %v", err)
		}
		c.shown.Add(1)
		if c.signer.ShouldReissue(token) {
			c.reissue(t)
		}
		runtime.Gosched() // let others in before the scheduler's next tick
	}
}

// A crowd of clients shares a signer.
type crowd struct {
	clients  []*client
	stop     atomic.Bool
	refusals atomic.Int64
	running  sync.WaitGroup
}

func newCrowd(t *testing.T, s *tokens.Signer, n int) *crowd {
	t.Helper()
	c := &crowd{clients: make([]*client, n)}
	for i := range c.clients {
		one := &client{signer: s}
		one.reissue(t)
		c.clients[i] = one
		c.running.Go(func() { one.run(t, &c.stop, &c.refusals) })
	}
	t.Cleanup(c.leave)
	return c
}

func (c *crowd) leave() {
	c.stop.Store(true)
	c.running.Wait()
}

// await waits until every client has shown its token at least twice more, and so
// once with the present keys, and holds one signed by the first.
func (c *crowd) await(t *testing.T) {
	t.Helper()
	patience := time.Now().Add(time.Minute)
	for _, one := range c.clients {
		for enough := one.shown.Load() + 2; one.shown.Load() < enough || one.signer.ShouldReissue(*one.token.Load()); {
			if time.Now().After(patience) {
				t.Fatal("a client never got a token of the first key")
			}
			runtime.Gosched()
		}
	}
}

func (c *crowd) shown() (n int64) {
	for _, one := range c.clients {
		n += one.shown.Load()
	}
	return n
}

// TestRotationUnderLoad changes the signing key 100 times, each in three calls of
// SetKeys, while clients show their tokens. It runs alone, or others would have
// the processors while it waits for its clients.
func TestRotationUnderLoad(t *testing.T) {
	t.Run("J14 100 rotations: none valid refused, none removed accepted", func(t *testing.T) {
		const rotations = 100
		current := tokens.GenerateKey()
		s := signer(t, tokens.Config{Keys: []tokens.Key{current}})
		clients := newCrowd(t, s, 8)
		var removed []string // tokens, one of each removed key
		revived := 0
		for range rotations {
			next := tokens.GenerateKey()
			removed = append(removed, sign(t, s, time.Hour))
			for _, keys := range [][]tokens.Key{{current, next}, {next, current}, {next}} {
				if err := s.SetKeys(keys...); err != nil {
					t.Fatal(err)
				}
				if len(keys) == 1 {
					revived += countAccepted(s, removed)
				}
				clients.await(t)
			}
			current = next
		}
		clients.leave()
		refusals := clients.refusals.Load()
		t.Logf("%d tokens shown during %d rotations: %d valid refused, %d of removed keys accepted", clients.shown(), rotations, refusals, revived)
		if refusals != 0 || revived != 0 {
			t.Errorf("%d valid tokens refused, %d of removed keys accepted; want none", refusals, revived)
		}
	})
}

// countAccepted counts the tokens that are not refused for an unknown key.
func countAccepted(s *tokens.Signer, all []string) (n int) {
	for _, token := range all {
		if _, err := s.Verify(audience, token); !errors.Is(err, tokens.ErrUnknownKey) {
			n++
		}
	}
	return n
}
