package tokens_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/tokens"
)

const megabyte = 1 << 20

// hostile is what no token looks like, mostly a megabyte of it.
func hostile(valid string) map[string]string {
	head, rest, _ := strings.Cut(valid, ".")
	return map[string]string{
		"dots":                         strings.Repeat(".", megabyte),
		"our header, then dots":        head + strings.Repeat(".", megabyte),
		"our header, then letters":     head + "." + strings.Repeat("A", megabyte),
		"our header, then a signature": head + "." + strings.Repeat("A", megabyte) + "." + strings.Repeat("A", 43),
		"half our header":              head[:len(head)/2] + strings.Repeat("A", megabyte),
		"half our header and a dot":    head[:len(head)/2] + "." + strings.Repeat("A", megabyte),
		"a valid token, then letters":  valid + strings.Repeat("A", megabyte),
		"a valid token, then dots":     valid + strings.Repeat(".", megabyte),
		"a valid token, often":         strings.Repeat(valid+".", megabyte/len(valid)),
		"JSON objects":                 strings.Repeat("{", megabyte),
		"JSON arrays":                  strings.Repeat("[", megabyte),
		"encoded JSON":                 b64(strings.Repeat(`{"a":`, megabyte/5)) + "." + rest,
		"encoded JSON for claims":      head + "." + b64(strings.Repeat(`{"a":`, megabyte/5)) + ".",
		"NULs":                         strings.Repeat("\x00", megabyte),
		"our header, then NULs":        head + "." + strings.Repeat("\x00", megabyte),
		"invalid UTF-8":                strings.Repeat("\xff", megabyte),
		"our header, then UTF-8":       head + "." + strings.Repeat("\xff", 500),
		"line feeds":                   strings.Repeat("\n", megabyte),
		"our header, then line feeds":  head + "." + strings.Repeat("\n", 500) + "." + strings.Repeat("\n", 43),
		"letters":                      strings.Repeat("A", megabyte),
		"nothing":                      "",
	}
}

// TestHostileAllocations runs alone: allocations are counted for the whole
// process.
func TestHostileAllocations(t *testing.T) {
	s := signer(t, tokens.Config{Keys: []tokens.Key{key(t, "k1", 1)}})
	valid := sign(t, s, time.Hour)
	accepted(t, s, valid)
	for name, token := range hostile(valid) {
		t.Run("H9 "+name, func(t *testing.T) {
			var err error
			verify := func() { _, err = s.Verify(audience, token) }
			verify()
			if !errors.Is(err, tokens.ErrInvalid) {
				t.Fatalf("Verify: %v", err)
			}
			if s.ShouldReissue(token) {
				t.Error("ShouldReissue is true")
			}
			if raceEnabled { // the pool is not reliable, but a megabyte is not a kilobyte
				if n := bytesAllocated(100, verify); n > 100*8<<10 {
					t.Errorf("100 calls allocate %d bytes", n)
				}
			} else if n := testing.AllocsPerRun(100, verify); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func bytesAllocated(runs int, f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestAllocations guards the hot paths.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector empties sync.Pools at random")
	}
	s := signer(t, tokens.Config{Keys: []tokens.Key{key(t, "k1", 1)}})
	valid := sign(t, s, time.Hour)
	changed := "A"
	if strings.HasSuffix(valid[:len(valid)-1], changed) {
		changed = "B"
	}
	rows := []struct {
		name  string
		token string
		want  error
		most  float64
	}{
		{"valid", valid, nil, 6},
		{"forged", valid[:len(valid)-2] + changed + valid[len(valid)-1:], tokens.ErrSignature, 0},
		{"unknown key", forge([]byte("x"), header(strings.Repeat("k", 40)), payload()), tokens.ErrUnknownKey, 0},
		{"another header", forge([]byte("x"), `{"alg":"HS256","typ":"JWT"}`, payload()), tokens.ErrMalformed, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var err error
			n := testing.AllocsPerRun(1000, func() { _, err = s.Verify(audience, row.token) })
			if !errors.Is(err, row.want) {
				t.Errorf("Verify: %v, want %v", err, row.want)
			}
			if n > row.most {
				t.Errorf("%v allocations, want at most %v", n, row.most)
			}
		})
	}
}
