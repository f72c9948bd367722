package tokens_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/coatcheck/coatcheck/tokens"
)

// secretText holds every kind of character that the base64 alphabets differ in.
var (
	secretA = bytes.Repeat([]byte{0xfb, 0xff, 0xfe, 0x01}, 8)
	secretB = bytes.Repeat([]byte{0x02}, 33)
	stdA    = base64.StdEncoding.EncodeToString(secretA)
	stdB    = base64.StdEncoding.EncodeToString(secretB)
)

func TestParseKeys(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"standard, padded":    "a:" + stdA + ",b:" + stdB,
		"standard, unpadded":  "a:" + strings.TrimRight(stdA, "=") + ",b:" + stdB,
		"URL, padded":         "a:" + base64.URLEncoding.EncodeToString(secretA) + ",b:" + base64.URLEncoding.EncodeToString(secretB),
		"URL, unpadded":       "a:" + base64.RawURLEncoding.EncodeToString(secretA) + ",b:" + stdB,
		"white space around":  " a:" + stdA + " ,\n\tb:" + stdB + "\n",
		"mixed from key to k": "a:" + stdA + ",b:" + base64.RawURLEncoding.EncodeToString(secretB),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys, err := tokens.ParseKeys(text)
			if err != nil {
				t.Fatal(err)
			}
			wantKeys(t, keys)
		})
	}
}

func wantKeys(t *testing.T, keys []tokens.Key) {
	t.Helper()
	if len(keys) != 2 || keys[0].ID() != "a" || keys[1].ID() != "b" ||
		!bytes.Equal(keys[0].Reveal(), secretA) || !bytes.Equal(keys[1].Reveal(), secretB) {
		t.Errorf("read %v, want a and b, in this order, with their secrets", keys)
	}
}

func TestParseKeysRefuses(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		text string
		want []string // in the mistakes, in order
	}{
		{"nothing", "", []string{"no keys"}},
		{"white space", " \n", []string{"no keys"}},
		{"a secret alone", stdA, []string{"key 1: want an ID"}},
		{"ID and secret swapped", stdA + ":a", []string{"key 1: the ID must", "key 1: what follows the colon is not base64"}},
		{"no ID", ":" + stdA, []string{"key 1: the ID must"}},
		{"no secret", "a:", []string{"key 1: the secret has 0 bytes"}},
		{"J2 a short secret", "a:" + stdA[:40], []string{"key 1: the secret has 30 bytes, and needs at least 32"}},
		{"not base64", "a:" + stdA[:30] + "!" + stdA[31:], []string{"key 1: what follows the colon is not base64"}},
		{"two alphabets", "a:" + stdA[:42] + "-=", []string{"key 1: what follows the colon is not base64"}},
		{"spare bits set", "a:" + stdA[:42] + "F=", []string{"key 1: what follows the colon is not base64"}},
		{"wrong padding", "a:" + stdA + "=", []string{"key 1: what follows the colon is not base64"}},
		{"a line break inside", "a:" + stdA[:20] + "\n" + stdA[20:], []string{"key 1: what follows the colon is not base64"}},
		{"a comma at the end", "a:" + stdA + ",", []string{"key 2: want an ID"}},
		{"one ID twice", "a:" + stdA + ",b:" + stdB + ",a:" + stdB, []string{"key 3: same ID as tokens.ParseKeys: key 1"}},
		{
			"everything at once",
			"a:" + stdA + ",,ä:x,a:" + stdB + ",c:" + stdA[:8],
			[]string{"key 2: want an ID", "key 3: the ID must", "key 3: what follows", "key 4: same ID", "key 5: the secret has 6 bytes"},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			keys, err := tokens.ParseKeys(row.text)
			wantMistakes(t, keys, err, row.want)
		})
	}
}

// wantMistakes fails unless err consists of these, and repeats no secret.
func wantMistakes(t *testing.T, keys []tokens.Key, err error, want []string) {
	t.Helper()
	if err == nil || keys != nil {
		t.Fatalf("read %v, %v; want an error and nothing else", keys, err)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d mistakes, want %d:\n%v", len(lines), len(want), err)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, "tokens.") || !strings.Contains(line, want[i]) {
			t.Errorf("%q, want tokens.… %q", line, want[i])
		}
	}
	for _, secret := range []string{stdA, stdB} {
		for i := range len(secret) - 6 {
			if strings.Contains(err.Error(), secret[i:i+6]) {
				t.Fatalf("the error shows a part of a secret: %v", err)
			}
		}
	}
}

const keysFile = `# signing keys, the first signs
a:%A

  b:%B # to be removed in June
`

func keysText(text string) string {
	return strings.NewReplacer("%A", stdA, "%B", stdB).Replace(text)
}

func TestReadKeys(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"comments and empty lines": keysText(keysFile),
		"CR LF":                    strings.ReplaceAll(keysText(keysFile), "\n", "\r\n"),
		"no line feed at the end":  keysText("a:%A\nb:%B"),
		"64 KiB":                   strings.Repeat("#", 64<<10-len(keysText("\na:%A\nb:%B"))) + keysText("\na:%A\nb:%B"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys, err := tokens.ReadKeys(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			wantKeys(t, keys)
		})
	}
	for name, row := range map[string]struct {
		text string
		want []string
	}{
		"nothing":          {"", []string{"no keys"}},
		"comments":         {"# a\n\n#b", []string{"no keys"}},
		"mistakes by line": {keysText("#\na:%A\n\n%B\na:%B\n"), []string{"line 4: want an ID", "line 5: same ID as tokens.ReadKeys: line 2"}},
		"more than 64 KiB": {strings.Repeat("\n", 64<<10+1), []string{"more than 65536 bytes"}},
		"an endless line":  {strings.Repeat("A", 1<<20), []string{"more than 65536 bytes"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys, err := tokens.ReadKeys(strings.NewReader(row.text))
			wantMistakes(t, keys, err, row.want)
		})
	}
	t.Run("a failing reader", func(t *testing.T) {
		t.Parallel()
		broken := errors.New("broken")
		keys, err := tokens.ReadKeys(iotest.ErrReader(broken))
		if keys != nil || !errors.Is(err, broken) {
			t.Errorf("read %v, %v", keys, err)
		}
	})
}

// writeKeys writes a file that is removed with the test.
func writeKeys(t *testing.T, text string, mode fs.FileMode) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "keys")
	if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadKeys(t *testing.T) {
	t.Parallel()
	for mode, allowed := range map[fs.FileMode]bool{
		0o400: true, 0o600: true, 0o440: true, 0o640: true, 0o700: true,
		0o604: false, 0o644: false, 0o602: false, 0o601: false, 0o620: false, 0o660: false, 0o666: false, 0o777: false,
	} {
		t.Run("mode "+mode.String(), func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS == "windows" {
				t.Skip("Windows has no such modes")
			}
			path := writeKeys(t, keysText(keysFile), mode)
			keys, err := tokens.LoadKeys(path)
			if allowed {
				if err != nil {
					t.Fatal(err)
				}
				wantKeys(t, keys)
				return
			}
			var mistake *tokens.ConfigError
			if keys != nil || !errors.As(err, &mistake) || mistake.Value != mode {
				t.Fatalf("loaded %v, %v; want the mode refused", keys, err)
			}
			if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "chmod") {
				t.Errorf("%v tells neither which file nor what to do", err)
			}
		})
	}
	t.Run("through a symbolic link", func(t *testing.T) {
		t.Parallel()
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(writeKeys(t, keysText(keysFile), 0o600), link); err != nil {
			t.Fatal(err)
		}
		keys, err := tokens.LoadKeys(link)
		if err != nil {
			t.Fatal(err)
		}
		wantKeys(t, keys)
	})
	t.Run("no file", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "missing")
		keys, err := tokens.LoadKeys(path)
		if keys != nil || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
			t.Errorf("loaded %v, %v", keys, err)
		}
	})
	t.Run("a bad file", func(t *testing.T) {
		t.Parallel()
		path := writeKeys(t, "a", 0o600)
		keys, err := tokens.LoadKeys(path)
		if keys != nil || err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("loaded %v, %v", keys, err)
		}
	})
}
