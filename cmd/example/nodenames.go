package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// publicName is what the i-th node is called where addresses must not be seen.
// One that was given no name is named after its address, and one that has moved
// may be named after the address that it had.
func publicName(i int, name string) string {
	if strings.Contains(name, ":") || !utf8.ValidString(name) { // the latter is a mistake that the store reports
		return fmt.Sprint("#", i+1)
	}
	return name
}

// publicNames returns what nodes are called by the names that events have. They
// are numbered as in memcached.Store.Health: Nodes, then those of Agree alone.
func publicNames(nodes, agree []string) map[string]string {
	names := make(map[string]string)
	for _, node := range slices.Concat(nodes, agree) {
		name, _, _ := strings.Cut(node, "=")
		if _, seen := names[name]; !seen {
			names[name] = publicName(len(names), name)
		}
	}
	return names
}
