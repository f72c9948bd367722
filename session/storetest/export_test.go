package storetest

import (
	"testing"

	"github.com/coatcheck/coatcheck/session"
)

// Rules returns the names of all rules.
func Rules() []string {
	names := make([]string, len(rules))
	for i, r := range rules {
		names[i] = r.name
	}
	return names
}

// Try tries one store by the rule of this name.
func Try(tb testing.TB, name string, store session.Store) {
	for _, r := range rules {
		if r.name == name {
			r.test(tb, store)
			return
		}
	}
	panic("no rule is named " + name)
}
