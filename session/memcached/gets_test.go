package memcached_test

import (
	"fmt"
	"strings"
	"testing"
)

// Whatever a node answers, a get returns what belongs to its key, or an error.
func FuzzGet(f *testing.F) {
	for _, answer := range []string{
		found("k", "value", 7), "END\r\n", "ERROR\r\n", found("other", "value", 7), "VALUE k 0 5\r\nvalue\r\nEND\r\n",
		"VALUE k 0 4294967295 7\r\n", "VALUE k 1 -1 7\r\n", "VALUE  0 0 7\r\n\r\nEND\r\n", found("k", "value", 7) + "END\r\n",
	} {
		f.Add(answer)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		server := &fake{answer: func(int, string) string { return answer + hangUp }}
		s := server.open(t)
		defer s.Close()
		value, version, err := s.Get(t.Context(), "k")
		if (err == nil) != (version != 0) || err != nil && value != nil {
			t.Errorf("%q, version %d, with error %v", value, version, err)
		}
		if err == nil && !strings.Contains(answer, fmt.Sprintf(" %d %d\r\n%s\r\n", len(value), version, value)) {
			t.Errorf("%q, version %d is not what was answered", value, version)
		}
	})
}
