package histories_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/histories"
)

// A plant is a bug that a manager could have, brought about by a store that
// does other than it is told. What lies in the store is read and written here
// as docs/formats.md describes it for managers without seal keys.
type plant struct {
	session.Store
	update func(ctx context.Context, s session.Store, w write) error
	create func(ctx context.Context, s session.Store, w write) error
}

type write struct {
	key     string
	value   []byte
	version uint64
	ttl     time.Duration
}

func (w write) update(ctx context.Context, s session.Store) error {
	return s.Update(ctx, w.key, w.value, w.version, w.ttl)
}

func (w write) create(ctx context.Context, s session.Store) error {
	return s.Create(ctx, w.key, w.value, w.ttl)
}

func (p *plant) Update(ctx context.Context, key string, value []byte, version uint64, ttl time.Duration) error {
	w := write{key, value, version, ttl}
	if p.update == nil || bytes.HasPrefix(value, []byte{1, kindIndex}) {
		return w.update(ctx, p.Store)
	}
	return p.update(ctx, p.Store, w)
}

func (p *plant) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	w := write{key: key, value: value, ttl: ttl}
	if p.create == nil || bytes.HasPrefix(value, []byte{1, kindIndex}) {
		return w.create(ctx, p.Store)
	}
	return p.create(ctx, p.Store, w)
}

const (
	kindRecord = 1
	kindMarker = 2
	kindIndex  = 3

	flagSuccessor = 1
	idBytes       = 16
)

func isRecord(value []byte) bool { return bytes.HasPrefix(value, []byte{1, kindRecord}) }
func isMarker(value []byte) bool { return bytes.HasPrefix(value, []byte{1, kindMarker}) }

// isEnd tells the marker of a destroyed session from that of a renewed one.
func isEnd(value []byte) bool { return bytes.HasPrefix(value, []byte{1, kindMarker, 0}) }

// withoutSuccessor makes the marker of a renewed session one of a destroyed one.
func withoutSuccessor(value []byte) []byte {
	body := bytes.Clone(value[1 : len(value)-crc32.Size-idBytes])
	body[1] &^= flagSuccessor
	sum := crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
	return binary.BigEndian.AppendUint32(append([]byte{1}, body...), sum)
}

// force writes over whatever is there, if may agrees.
func (w write) force(ctx context.Context, s session.Store, may func(there []byte) bool) error {
	for {
		err := w.update(ctx, s)
		if !errors.Is(err, session.ErrConflict) {
			return err
		}
		there, version, gerr := s.Get(ctx, w.key)
		if gerr != nil {
			return gerr
		}
		if !may(there) {
			return err
		}
		w.version = version
	}
}

func anything([]byte) bool { return true }

var plants = []struct {
	name string
	plant
}{
	{name: "S17 S8 blind set instead of compare-and-swap", plant: plant{
		update: func(ctx context.Context, s session.Store, w write) error { return w.force(ctx, s, anything) },
	}},
	{name: "S17 blind set of records over records alone", plant: plant{
		update: func(ctx context.Context, s session.Store, w write) error {
			if isRecord(w.value) {
				return w.force(ctx, s, isRecord)
			}
			return w.update(ctx, s)
		},
	}},
	{name: "S7 Destroy by delete", plant: plant{
		update: func(ctx context.Context, s session.Store, w write) error {
			if isEnd(w.value) {
				return s.Delete(ctx, w.key)
			}
			return w.update(ctx, s)
		},
		create: func(ctx context.Context, s session.Store, w write) error {
			if isEnd(w.value) {
				return s.Delete(ctx, w.key)
			}
			return w.create(ctx, s)
		},
	}},
	{name: "S7 Destroy that leaves no marker where a successor is still to come", plant: plant{
		create: func(ctx context.Context, s session.Store, w write) error {
			if isEnd(w.value) {
				return nil
			}
			return w.create(ctx, s)
		},
	}},
	{name: "S8 late commit after destroy", plant: plant{
		update: func(ctx context.Context, s session.Store, w write) error {
			if isRecord(w.value) {
				return w.force(ctx, s, isEnd)
			}
			return w.update(ctx, s)
		},
	}},
	{name: "S8 late commit after renewal", plant: plant{
		update: func(ctx context.Context, s session.Store, w write) error {
			if isRecord(w.value) {
				return w.force(ctx, s, func(there []byte) bool { return isMarker(there) && !isEnd(there) })
			}
			return w.update(ctx, s)
		},
	}},
	{name: "M13 Update retried after a lost answer", plant: plant{
		update: func(ctx context.Context, s session.Store, w write) error {
			err := w.update(ctx, s)
			if errors.Is(err, histories.ErrInjected) {
				return session.ErrConflict // which it is, to whoever just tries again
			}
			return err
		},
	}},
	{name: "M13 a lost answer taken for success", plant: plant{
		update: func(ctx context.Context, s session.Store, w write) error {
			err := w.update(ctx, s)
			if errors.Is(err, histories.ErrInjected) {
				return nil
			}
			return err
		},
	}},
	{name: "S7 marker without successor", plant: plant{
		update: func(ctx context.Context, s session.Store, w write) error {
			if isMarker(w.value) && !isEnd(w.value) {
				w.value = withoutSuccessor(w.value)
			}
			return w.update(ctx, s)
		},
	}},
}

// episodes is how many a planted bug may stay hidden for. Most show within 5; the
// hardest to find, a missing marker for a session still to come, within 20 or so
// on average.
const episodes = 1000

func TestPlantedBugs(t *testing.T) {
	t.Parallel()
	for _, p := range plants {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			stores, _ := clients(t, 2)
			cfg := histories.Config{Stores: stores, Seed: uint64(time.Now().UnixNano()), Episodes: episodes, Plain: true}
			cfg.Plant = func(s session.Store) session.Store {
				planted := p.plant
				planted.Store = s
				return &planted
			}
			stats, err := histories.Run(t.Context(), cfg)
			var found *histories.ViolationError
			if !errors.As(err, &found) || !errors.Is(err, histories.ErrImpossible) {
				t.Fatalf("after %d episodes the error is %v, want a violation", stats.Episodes, err)
			}
			t.Logf("found after %d episodes: %v", stats.Episodes, err)

			cfg.Plant, cfg.Episodes = nil, max(stats.Episodes, 10)
			if _, err := histories.Run(t.Context(), cfg); err != nil {
				t.Errorf("without the bug: %v", err)
			}
		})
	}
}
