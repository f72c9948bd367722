package session

import (
	"bytes"
	"errors"
	"maps"
	"slices"
)

// maxKeyBytes bounds the name of a value.
const maxKeyBytes = 255

// section is the encoded form of a session's values: name and JSON text, each
// after its length, in strictly ascending order of names. It is immutable, and
// searched without being taken apart: what a request doesn't read costs it no
// more than being skipped.
type section []byte

var errSection = errors.New("values out of form")

// check accepts the one encoding that a set of values has.
func (sec section) check() error {
	r, last, first := reader{b: sec}, []byte(nil), true
	for len(r.b) > 0 {
		name, raw := r.bytes(), r.bytes()
		if r.bad || len(raw) == 0 || len(name) == 0 || len(name) > maxKeyBytes || !first && bytes.Compare(last, name) >= 0 {
			return errSection
		}
		last, first = name, false
	}
	if r.bad {
		return errSection
	}
	return nil
}

func (sec section) lookup(key string) ([]byte, bool) {
	for r := (reader{b: sec}); len(r.b) > 0; {
		name, raw := r.bytes(), r.bytes()
		if string(name) == key {
			return raw, true
		}
		if string(name) > key {
			break
		}
	}
	return nil, false
}

func (sec section) all(yield func(name string, raw []byte) bool) {
	for r := (reader{b: sec}); len(r.b) > 0; {
		name, raw := r.bytes(), r.bytes()
		if !yield(string(name), raw) {
			return
		}
	}
}

// values is a section with changes over it.
type values struct {
	base section
	over map[string][]byte // nil: deleted
}

func (v *values) get(key string) ([]byte, bool) {
	if raw, ok := v.over[key]; ok {
		return raw, raw != nil
	}
	return v.base.lookup(key)
}

func (v *values) set(key string, raw []byte) {
	if v.over == nil {
		v.over = make(map[string][]byte)
	}
	v.over[key] = raw
}

func (v *values) clear() { v.base, v.over = nil, nil }

func (v *values) keys() []string {
	var keys []string
	for name := range v.base.all {
		if _, changed := v.over[name]; !changed {
			keys = append(keys, name)
		}
	}
	for name, raw := range v.over {
		if raw != nil {
			keys = append(keys, name)
		}
	}
	slices.Sort(keys)
	return keys
}

// encode merges the changes into a new section.
func (v *values) encode() section {
	if len(v.over) == 0 {
		return v.base
	}
	changed := slices.Sorted(maps.Keys(v.over))
	size := len(v.base)
	for _, name := range changed {
		size += len(name) + len(v.over[name]) + 2*lengthBytes
	}
	out := make([]byte, 0, size)
	emit := func(name string, raw []byte) {
		if raw != nil {
			out = appendBytes(appendBytes(out, name), raw)
		}
	}
	for name, raw := range v.base.all {
		for len(changed) > 0 && changed[0] < name {
			emit(changed[0], v.over[changed[0]])
			changed = changed[1:]
		}
		if len(changed) > 0 && changed[0] == name {
			continue // the change's own turn comes with the next greater name
		}
		emit(name, raw)
	}
	for _, name := range changed {
		emit(name, v.over[name])
	}
	return out
}

// lengthBytes is the room that one length takes, usually less.
const lengthBytes = 4
