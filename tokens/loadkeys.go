package tokens

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
)

// maxKeysBytes is far more than any ring needs, and little enough to read
// whatever was named by mistake.
const maxKeysBytes = 64 << 10

// ParseKeys reads keys as an environment variable holds them: separated by
// commas, each an ID, a colon, and the secret in base64 (either alphabet, padded
// or not), the signing key first:
//
//	COATCHECK_KEYS=2026-b:3q2+7w…,2026-a:yv66vg…
//
// White space around a key is ignored. The error joins a [*ConfigError] for
// each mistake. It tells which key is meant by its place, and repeats no part
// of it: what stands where the ID should be may be a secret.
func ParseKeys(s string) ([]Key, error) {
	l := newKeyLoader()
	if strings.TrimSpace(s) != "" {
		for i, entry := range strings.Split(s, ",") {
			l.add(fmt.Sprintf("tokens.ParseKeys: key %d", i+1), strings.TrimSpace(entry))
		}
	}
	return l.keys("tokens.ParseKeys")
}

// ReadKeys reads keys as a file holds them: one a line, each an ID, a colon,
// and the secret in base64 (either alphabet, padded or not), the signing key
// first. Empty lines are ignored, and so is all that follows a '#' on a line.
// The input may be 64 KiB long.
//
// Its errors are like those of [ParseKeys], by line, and those of r.
func ReadKeys(r io.Reader) ([]Key, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxKeysBytes+1))
	if err != nil {
		return nil, fmt.Errorf("tokens.ReadKeys: %w", err)
	}
	if len(text) > maxKeysBytes {
		return nil, &ConfigError{Field: "tokens.ReadKeys", Reason: fmt.Sprintf("more than %d bytes: this is no list of keys", maxKeysBytes)}
	}
	l := newKeyLoader()
	for i, line := range strings.Split(string(text), "\n") {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			l.add(fmt.Sprintf("tokens.ReadKeys: line %d", i+1), line)
		}
	}
	return l.keys("tokens.ReadKeys")
}

// LoadKeys reads keys from a file, as [ReadKeys] does.
//
// It refuses a file that other users of the machine can read, or that its group
// or others can write: who reads a key can sign what we accept, and so can who
// puts his own in its place. Its group may read it, as that is how secrets are
// handed to services (mode 0400, 0440, 0600 or 0640). Where a platform leaves no choice,
// open the file yourself and use [ReadKeys]. On Windows, whose permissions Go
// does not report, nothing is checked.
func LoadKeys(path string) ([]Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("tokens.LoadKeys: %w", err)
	}
	defer f.Close()
	info, err := f.Stat() // of what was opened, not of what the path names by now
	if err == nil {
		err = checkMode(info.Mode().Perm())
	}
	if err != nil {
		return nil, fmt.Errorf("tokens.LoadKeys: %s: %w", path, err)
	}
	keys, err := ReadKeys(f)
	if err != nil {
		return nil, fmt.Errorf("tokens.LoadKeys: %s: %w", path, err)
	}
	return keys, nil
}

func checkMode(mode fs.FileMode) error {
	const others, groupWrite fs.FileMode = 0o007, 0o020
	if runtime.GOOS == "windows" || mode&(others|groupWrite) == 0 {
		return nil
	}
	return &ConfigError{Field: "mode", Value: mode, Reason: "others can read it or change it; chmod 0600, or 0640 with a group of its own"}
}

// A keyLoader collects keys and mistakes.
type keyLoader struct {
	found []Key
	errs  []error
	seen  map[string]string // key ID -> where it was
}

func newKeyLoader() *keyLoader { return &keyLoader{seen: make(map[string]string)} }

// add takes one "id:base64".
func (l *keyLoader) add(where, entry string) {
	id, encoded, ok := strings.Cut(entry, ":")
	if !ok {
		l.mistake(where, "want an ID, a colon, and the secret in base64")
		return
	}
	if reason := idMistake(id); reason != "" {
		l.mistake(where, reason)
	} else if first, ok := l.seen[id]; ok {
		l.mistake(where, "same ID as "+first)
	} else {
		l.seen[id] = where
	}
	secret, ok := decodeSecret(encoded)
	if !ok {
		l.mistake(where, "what follows the colon is not base64")
	} else if reason := secretMistake(secret); reason != "" {
		l.mistake(where, reason)
	}
	l.found = append(l.found, newKey(id, secret))
}

func (l *keyLoader) mistake(where, reason string) {
	l.errs = append(l.errs, &ConfigError{Field: where, Reason: reason})
}

// keys returns all keys or none.
func (l *keyLoader) keys(source string) ([]Key, error) {
	if len(l.found) == 0 && l.errs == nil {
		l.mistake(source, "no keys")
	}
	if l.errs != nil {
		return nil, errors.Join(l.errs...)
	}
	return l.found, nil
}

// decodeSecret takes what people's tools print: the standard or the URL
// alphabet, padded or not. It is strict otherwise, so that a damaged secret is
// noticed; encoding/base64 would skip line breaks.
func decodeSecret(s string) ([]byte, bool) {
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(s, "-_") {
		encoding = base64.RawURLEncoding
	}
	if strings.HasSuffix(s, "=") {
		encoding = encoding.WithPadding(base64.StdPadding)
	}
	secret, err := encoding.Strict().DecodeString(s)
	return secret, err == nil && !strings.ContainsAny(s, "\r\n")
}
