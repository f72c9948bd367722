package session_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/coatcheck/coatcheck/session"
)

// TestRandomBits looks at each bit of many credentials by itself: one that never
// changes is no random bit.
func TestRandomBits(t *testing.T) {
	t.Parallel()
	const id, secret = 16, 32 // bytes
	for name, c := range map[string]struct {
		keys []session.SealKey
		want int // random bits of the secret
	}{
		"S1 S2 without seal keys": {nil, 8 * secret},
		"S1 S2 with seal keys":    {[]session.SealKey{session.GenerateSealKey()}, 8 * secret / 2}, // the rest is a tag
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newManager(t, session.Config{SealKeys: c.keys})
			changing := changes(t, m, id+secret)
			if n := countBits(changing[:id]); n != 122 {
				t.Errorf("%d bits of IDs change, want the 122 of a random UUID", n)
			}
			if n := countBits(changing[id : id+c.want/8]); n != c.want || c.want < 128 {
				t.Errorf("%d bits of secrets change, want %d", n, c.want)
			}
		})
	}
}

// changes returns the bits in which some of a hundred credentials differ from the first.
func changes(t *testing.T, m *session.Manager, length int) []byte {
	t.Helper()
	changing, first := make([]byte, length), []byte(nil)
	for range 100 {
		_, c := begin(t, m)
		raw, err := base64.RawURLEncoding.DecodeString(c.Reveal())
		if err != nil || len(raw) != length {
			t.Fatalf("a credential of %d bytes, want %d; %v", len(raw), length, err)
		}
		if first == nil {
			first = raw
		}
		for i := range raw {
			changing[i] |= raw[i] ^ first[i]
		}
	}
	return changing
}

func countBits(bytes []byte) (n int) {
	for _, b := range bytes {
		for ; b != 0; b &= b - 1 {
			n++
		}
	}
	return n
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("no entropy") }

// TestBrokenRandomness lets another process of this test's binary issue
// credentials, and make keys, while nothing random can be had.
func TestBrokenRandomness(t *testing.T) {
	const variable, issued = "COATCHECK_TEST_BROKEN_RANDOMNESS", "ISSUED"
	switch os.Getenv(variable) {
	case "secret":
		m := newManager(t, session.Config{})
		rand.Reader = broken{} // IDs keep theirs
		begin(t, m)
		t.Fatal(issued)
	case "id":
		uuid.SetRand(broken{})
		begin(t, newManager(t, session.Config{}))
		t.Fatal(issued)
	case "seal key":
		rand.Reader = broken{}
		session.GenerateSealKey()
		t.Fatal(issued)
	}
	t.Parallel()
	for _, what := range []string{"secret", "id", "seal key"} {
		t.Run("S1 the program ends rather than have a guessable "+what, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBrokenRandomness$")
			cmd.Env = append(os.Environ(), variable+"="+what)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || !strings.Contains(string(out), "no entropy") || strings.Contains(string(out), issued) {
				t.Errorf("it ends with %v and says:\n%s", err, out)
			}
		})
	}
}
