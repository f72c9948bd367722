package session

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// A change is one thing a request did to its session's values, in a form that
// can be done again on fresh ones, should another request commit first.
type change struct {
	kind changeKind
	key  string
	raw  []byte                                         // put: the value; pop: the value that was returned
	f    func(raw []byte, present bool) ([]byte, error) // update
	err  error                                          // put: why there is no value
}

type changeKind uint8

const (
	put changeKind = iota
	update
	pop
	remove
	clearAll
)

func (c *change) apply(v *values) error {
	switch c.kind {
	case put:
		if c.err != nil {
			return c.err
		}
		v.set(c.key, c.raw)
	case update:
		raw, present := v.get(c.key)
		raw, err := c.f(raw, present)
		if err != nil {
			return err
		}
		v.set(c.key, raw)
	case pop:
		if raw, ok := v.get(c.key); ok && bytes.Equal(raw, c.raw) {
			v.set(c.key, nil) // another value is a later message: it stays for its own reader
		}
	case remove:
		v.set(c.key, nil)
	case clearAll:
		v.clear()
	}
	return nil
}

// changes are in the order in which they were made.
type changes []change

func (log changes) apply(v *values) error {
	for i := range log {
		if err := log[i].apply(v); err != nil {
			return err
		}
	}
	return nil
}

// add appends a change, and drops what it makes irrelevant.
func (log changes) add(c change) changes {
	switch c.kind {
	case clearAll:
		log = log[:0]
	case put, remove:
		kept := log[:0]
		for _, old := range log {
			if old.kind == clearAll || old.key != c.key {
				kept = append(kept, old)
			}
		}
		log = kept
	case update, pop: // these depend on what was before
	}
	return append(log, c)
}

func encodeValue(key string, v any) ([]byte, error) {
	if len(key) == 0 || len(key) > maxKeyBytes {
		return nil, fmt.Errorf("session: key %q: must be 1 to %d bytes", key, maxKeyBytes)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("session: key %q: %w", key, err)
	}
	return raw, nil
}
