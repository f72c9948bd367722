package storetest

import (
	"bytes"
	"strings"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// patience is what a call gets that MUST NOT block, on a machine that is busy.
const patience = time.Second

var limitRules = []rule{
	{"M2 keys of 1 byte work", func(t *trial) {
		// Somebody else may use it, so this only looks.
		_, _, err := t.store.Get(t.ctx, t.prefix[:1])
		if err != nil {
			t.wants(err, session.ErrNotFound, "Get of a key of 1 byte")
		}
	}},
	{"M2 keys of 250 bytes work, and differ by their last", func(t *trial) {
		key := t.key(strings.Repeat("k", 250))[:249]
		v := t.create(key+"1", []byte("one"), long)
		t.create(key+"2", []byte("two"), long)
		t.absent(key)
		t.unchanged(key+"1", []byte("one"), v)
		t.update(key+"1", []byte("three"), v, long)
		t.delete(key + "1")
		t.absent(key + "1")
	}},
	{"M2 keys may hold all of printable ASCII, in either case", func(t *trial) {
		var printable []byte
		for c := byte('!'); c <= '~'; c++ {
			printable = append(printable, c)
		}
		key := t.key(string(printable))
		t.create(key, []byte("one"), long)
		t.create(t.key("case"), []byte("lower"), long)
		t.create(t.key("CASE"), []byte("upper"), long)
		t.holds(key, []byte("one"))
		t.holds(t.key("case"), []byte("lower"))
	}},
	{"an empty value is a value", func(t *trial) {
		v := t.create(t.key("nil"), nil, long)
		t.update(t.key("nil"), []byte{}, v, long)
		err := t.store.Create(t.ctx, t.key("nil"), []byte("one"), long)
		t.wants(err, session.ErrExists, "Create over an empty value")
		v = t.create(t.key("a"), []byte("one"), long)
		v = t.update(t.key("a"), nil, v, long)
		t.update(t.key("a"), []byte("two"), v, long)
	}},
	{"values are opaque bytes", opaqueValues},
	{"M8 a value over the limit is ErrTooLarge and the stored one stays", tooLarge},
	{"M8 a value of MaxValueBytes is stored", func(t *trial) {
		limit, ok := t.limit()
		if !ok {
			t.Skip("the store has no session.ValueLimit, or one over 64 MiB")
		}
		v := t.create(t.key("a"), bytes.Repeat([]byte("x"), limit), long)
		t.update(t.key("a"), bytes.Repeat([]byte("y"), limit), v, long)
		t.delete(t.key("a"))
	}},
	{"Available does not block, and holds for a key just served", func(t *trial) {
		a, ok := t.store.(session.Availability)
		if !ok {
			t.Skip("the store has no session.Availability")
		}
		t.create(t.key("a"), []byte("one"), long)
		start := time.Now()
		if !a.Available(t.key("a")) {
			t.Errorf("Available is false for a key that was served just now")
		}
		if took := time.Since(start); took > patience {
			t.Errorf("Available took %v", took)
		}
	}},
}

func opaqueValues(t *trial) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for name, value := range map[string]string{
		"zeros":     "\x00\x00\x00",
		"newlines":  "\r\n\r\n",
		"protocol":  "one\r\nEND\r\nSTORED\r\nVALUE a 0 1\r\n",
		"trailing":  "one\r\n",
		"not utf-8": "\xff\xfe\xc0",
		"all bytes": string(all),
		"large":     strings.Repeat(string(all), 256),
		"spaces":    " one ",
	} {
		key := t.key(strings.ReplaceAll(name, " ", "-"))
		v := t.create(key, []byte(value), long)
		v = t.update(key, []byte("between"), v, long)
		t.update(key, []byte(value), v, long)
	}
}

// tooLarge tries one byte too much and, for a store that misjudges its own
// limit, far too much. A store that tells no limit may take everything.
func tooLarge(t *trial) {
	v := t.create(t.key("a"), []byte("one"), long)
	limit, told := t.limit()
	if !told {
		limit = 16 << 20
	}
	for _, size := range []int{limit + 1, 2*limit + 1} {
		value := bytes.Repeat([]byte("x"), size)
		err := t.store.Create(t.ctx, t.key("b"), value, long)
		if err == nil && !told {
			return
		}
		t.wants(err, session.ErrTooLarge, "Create of a value over the limit")
		t.absent(t.key("b"))
		err = t.store.Update(t.ctx, t.key("a"), value, v, long)
		t.wants(err, session.ErrTooLarge, "Update with a value over the limit")
		t.unchanged(t.key("a"), []byte("one"), v)
	}
	t.update(t.key("a"), []byte("two"), v, long)
}

// limit returns the largest value that the store says it takes. What it says
// has to be asked without blocking, and is too much to try over 64 MiB.
func (t *trial) limit() (n int, ok bool) {
	l, ok := t.store.(session.ValueLimit)
	if !ok {
		return 0, false
	}
	start := time.Now()
	n = l.MaxValueBytes(t.key("a"))
	if took := time.Since(start); took > patience {
		t.Errorf("MaxValueBytes took %v", took)
	}
	if n <= 0 {
		t.Fatalf("MaxValueBytes is %d", n)
	}
	return n, n <= 64<<20
}
