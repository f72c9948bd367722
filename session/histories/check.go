package histories

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// patience is how long the checker may think about one session. To run out of
// it is a failure: a history that was not checked proves nothing.
const patience = 30 * time.Second

// What can be wrong with a history.
var (
	ErrImpossible = errors.New("no order of these operations explains their results")
	ErrUndecided  = errors.New("the checker found no answer in time")
)

// check fits the history of one line to the model.
func check(ops []*op) error {
	slices.SortFunc(ops, func(a, b *op) int { return cmp.Compare(a.call, b.call) })
	entries := make([]porcupine.Operation, len(ops))
	for i, o := range ops {
		entries[i] = porcupine.Operation{Input: o, Call: o.call, Return: o.answer}
	}
	m := model()
	switch porcupine.CheckOperationsTimeout(m, entries, patience) {
	case porcupine.Ok:
		return nil
	case porcupine.Illegal:
		_, info := porcupine.CheckOperationsVerbose(m, entries, patience)
		return fmt.Errorf("%w\n%s", ErrImpossible, report(ops, longest(info)))
	default:
		return fmt.Errorf("%w: %v for %d operations\n%s", ErrUndecided, patience, len(ops), report(ops, nil))
	}
}

// longest is the order that explains the most.
func longest(info porcupine.LinearizationInfo) []*op {
	var most []porcupine.Operation
	for _, orders := range info.PartialLinearizationsOperations() {
		for _, order := range orders {
			if len(order) > len(most) {
				most = order
			}
		}
	}
	var ops []*op
	for _, o := range most {
		ops = append(ops, o.Input.(*op))
	}
	return ops
}

// report lists what happened, and how far an explanation of it got.
func report(ops, explained []*op) string {
	var b strings.Builder
	fmt.Fprintln(&b, "the session's history (call … answer, second):")
	for _, o := range ops {
		fmt.Fprintf(&b, "  %s  %v\n", o.times(), o)
	}
	if len(explained) == 0 {
		return b.String()
	}
	fmt.Fprintf(&b, "the longest order that explains results has %d of %d:\n", len(explained), len(ops))
	states := []state{{}}
	for _, o := range explained {
		states = after(states, o)
		fmt.Fprintf(&b, "  %v\n      then it is %s\n", o, describe(states))
	}
	fmt.Fprintln(&b, "what comes next can be none of these:")
	for _, o := range next(ops, explained) {
		fmt.Fprintf(&b, "  %v\n", o)
	}
	return b.String()
}

func after(states []state, o *op) []state {
	var all []state
	for _, s := range states {
		for _, n := range s.step(o) {
			if !slices.Contains(all, n) {
				all = append(all, n)
			}
		}
	}
	return all
}

func describe(states []state) string {
	texts := make([]string, len(states))
	for i, s := range states {
		texts[i] = s.String()
	}
	return strings.Join(texts, ", or ")
}

func (s state) String() string {
	text := fmt.Sprintf("%s at %v", s.phase, s.at)
	if s.phase == dead {
		return text
	}
	if s.expires != 0 {
		text += " until " + clock(s.expires)
	}
	return text + " " + s.values.String()
}

// next are the ops that could come after the explained ones: those that were
// called before any other one that is left was answered.
func next(ops, explained []*op) []*op {
	var left []*op
	first := int64(never)
	for _, o := range ops {
		if !slices.Contains(explained, o) {
			left = append(left, o)
			first = min(first, o.answer)
		}
	}
	return slices.DeleteFunc(left, func(o *op) bool { return o.call > first })
}
