package main

import (
	"errors"
	"strings"
)

// settings tells which of our settings a field of the library's is set by.
var settings = []struct{ field, setting string }{
	{"session.Config.IdleTimeout", "-idle"},
	{"session.Config.Lifetime", "-lifetime"},
	{"session.Config.MaxLifetime", "-lifetime"},
	{"session.Config.SealKeys", envKeys},
	{"tokens.Config.Keys", envKeys},
	{"tokens.APIKeys", "-api-keys"},
	{"memcached.Config.Nodes", "-memcached"},
	{"memcached.Config.Agree", "-memcached-agree"},
	{"memcached.Config.Timeout", "-memcached-timeout"},
	{"chimw.Config.Header", "-header"},
}

// consequence is what chimw says of a manager that could not be made for
// reasons already given.
const consequence = "chimw.Config.Manager"

// lines takes joined errors apart, and names our settings beside the library's.
func lines(err error) (all []string) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if strings.HasPrefix(line, consequence) {
			continue
		}
		for _, s := range settings {
			if rest, ok := strings.CutPrefix(line, s.field); ok && strings.IndexAny(rest, " :[") == 0 {
				line = s.setting + ": " + line
				break
			}
		}
		all = append(all, line)
	}
	return all
}

// under names the setting in each of several joined errors.
func under(setting string, err error) error {
	var errs []error
	for _, line := range lines(err) {
		errs = append(errs, errors.New(setting+": "+line))
	}
	return errors.Join(errs...)
}
