package histories

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coatcheck/coatcheck/session"
)

// What requests put into their sessions. Every number is drawn once in an
// episode, so that a value says who wrote it.
const (
	note  session.Key[int]   = "note"  // put and deleted
	flash session.Key[int]   = "flash" // put and popped
	left  session.Key[[]int] = "left"  // appended to
	right session.Key[[]int] = "right" // appended to, by some together with left
)

// values are what a session holds. 0 and "" stand for absent.
type values struct {
	note, flash int
	left, right string // numbers, each followed by a space: comparable
}

func valuesOf(s *session.Session) values {
	var v values
	v.note, _ = note.Get(s)
	v.flash, _ = flash.Get(s)
	l, _ := left.Get(s)
	r, _ := right.Get(s)
	v.left, v.right = spell(l), spell(r)
	return v
}

func spell(numbers []int) string {
	var b strings.Builder
	for _, n := range numbers {
		fmt.Fprint(&b, n, " ")
	}
	return b.String()
}

func (v values) String() string {
	return fmt.Sprintf("{note %d flash %d left [%s] right [%s]}", v.note, v.flash, strings.TrimSpace(v.left), strings.TrimSpace(v.right))
}

// A change is one thing that a request does to values, as the library is asked
// for it and as the model understands it.
type change struct {
	kind changeKind
	n    int // what is put or appended, or was popped
}

type changeKind string

const (
	setNote     changeKind = "put note"
	dropNote    changeKind = "delete note"
	setFlash    changeKind = "put flash"
	popFlash    changeKind = "pop flash"
	appendLeft  changeKind = "append to left"
	appendRight changeKind = "append to right"
	clearAll    changeKind = "clear"
)

func (c change) String() string { return fmt.Sprintf("%s %d", c.kind, c.n) }

// do asks the session for a change. It returns the change that was made: Pop
// fills in what it found.
func (c change) do(s *session.Session) change {
	add := func(ns []int) []int { return append(slices.Clip(ns), c.n) }
	switch c.kind {
	case setNote:
		note.Put(s, c.n)
	case dropNote:
		note.Delete(s)
	case setFlash:
		flash.Put(s, c.n)
	case popFlash:
		c.n, _ = flash.Pop(s)
	case appendLeft:
		left.Update(s, add)
	case appendRight:
		right.Update(s, add)
	case clearAll:
		s.Clear()
	}
	return c
}

// after returns the values with changes made, in their order, whatever they
// were when the request looked.
func (v values) after(changes []change) values {
	for _, c := range changes {
		switch c.kind {
		case setNote:
			v.note = c.n
		case dropNote:
			v.note = 0
		case setFlash:
			v.flash = c.n
		case popFlash:
			if v.flash == c.n {
				v.flash = 0
			}
		case appendLeft:
			v.left += fmt.Sprint(c.n, " ")
		case appendRight:
			v.right += fmt.Sprint(c.n, " ")
		case clearAll:
			v = values{}
		}
	}
	return v
}
