package histories_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

const (
	dumped = 300 // sessions
	secret = 32  // bytes, after an ID
)

const text session.Key[string] = "text"

func TestM1Dump(t *testing.T) {
	t.Parallel()
	t.Run("M1 S1 without seal keys a dump holds no credential, secret, token or fingerprint", func(t *testing.T) {
		t.Parallel()
		stores, server := clients(t, 2)
		r := runToDump(t, processes(t, session.Config{}, stores...))
		items := server.Dump(t)
		wantAbsent(t, items, "secret", r.secrets)
		wantAbsent(t, items, "fingerprint", r.prints)
		for what, needles := range map[string][][]byte{"subject": r.subjects, "value": r.values, "label": r.labels} {
			if len(found(items, needles)) < len(needles)/4 { // or the search is no good
				t.Errorf("the dump shows next to no %s", what)
			}
		}
	})
	t.Run("M1 with seal keys nor a subject, value or label", func(t *testing.T) {
		t.Parallel()
		keys := []session.SealKey{session.GenerateSealKey(), session.GenerateSealKey()}
		stores, server := clients(t, 2)
		r := runToDump(t, processes(t, session.Config{SealKeys: keys}, stores...))
		items := server.Dump(t)
		wantAbsent(t, items, "secret", r.secrets)
		wantAbsent(t, items, "fingerprint", r.prints)
		wantAbsent(t, items, "subject", r.subjects)
		wantAbsent(t, items, "value", r.values)
		wantAbsent(t, items, "label", r.labels)
		wantAbsent(t, items, "seal key", [][]byte{keys[0].Reveal(), keys[1].Reveal()})
	})
	for _, sealed := range []bool{false, true} {
		t.Run(fmt.Sprintf("M1 nothing in a dump opens a session, sealed %v", sealed), func(t *testing.T) {
			t.Parallel()
			var cfg session.Config
			if sealed {
				cfg.SealKeys = []session.SealKey{session.GenerateSealKey()}
			}
			stores, server := clients(t, 1)
			m := processes(t, cfg, stores...)[0]
			for range 20 {
				started(t, m, func(s *session.Session) { s.SetSubject("alice"); s.AllowToken() })
			}
			tryAsSecrets(t, m, server.Dump(t))
		})
	}
}

// remembered is what must not be found in a dump, or only where it may be read.
type remembered struct{ secrets, prints, subjects, values, labels [][]byte }

// runToDump does with sessions all that writes: some are live in the end, and
// some left markers.
func runToDump(t *testing.T, managers []*session.Manager) *remembered {
	t.Helper()
	r := new(remembered)
	for i := range dumped {
		m := managers[i%len(managers)]
		s := m.New()
		r.fill(s)
		commit(t, s)
		r.hold(t, s.Credential())
		s, err := managers[(i+1)%len(managers)].Load(t.Context(), s.Credential())
		if err != nil {
			t.Fatal(err)
		}
		switch i % 6 {
		case 0:
			s.Renew()
		case 1:
			r.fill(s) // another subject, and so another ID
		case 2:
			s.Destroy()
		case 3:
			text.Put(s, r.word(&r.values))
		case 4:
			if err := m.Revoke(t.Context(), s.Subject(), s.ID()); err != nil {
				t.Error(err)
			}
			continue
		}
		commit(t, s)
		if !s.Destroyed() {
			r.hold(t, s.Credential())
		}
	}
	return r
}

func commit(t *testing.T, s *session.Session) {
	t.Helper()
	if err := s.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// fill gives a session all that it can hold.
func (r *remembered) fill(s *session.Session) {
	s.SetSubject(r.word(&r.subjects))
	s.SetFingerprint(r.word(&r.prints))
	s.SetLabel(r.word(&r.labels))
	text.Put(s, r.word(&r.values))
	session.Key[[]string]("more").Put(s, []string{r.word(&r.values), r.word(&r.values)})
	s.AllowToken()
}

// word draws a word that appears nowhere else, and remembers it.
func (r *remembered) word(in *[][]byte) string {
	w := rand.Text()
	*in = append(*in, []byte(w))
	return w
}

// hold remembers the secret of a credential, and its halves: one of them may be
// derived from the other.
func (r *remembered) hold(t *testing.T, c session.Credential) {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(c.Reveal())
	if err != nil || len(raw) != idBytes+secret {
		t.Fatalf("a credential of %d bytes: %v", len(raw), err)
	}
	s := raw[idBytes:]
	r.secrets = append(r.secrets, s[:secret/2], s[secret/2:])
}

// spellings are the forms in which bytes could lie in a store. As they may lie
// within something longer, base64 is cut to what doesn't depend on what is
// around it, at each of its three offsets.
func spellings(b []byte) [][]byte {
	all := [][]byte{b, []byte(hex.EncodeToString(b)), []byte(strings.ToUpper(hex.EncodeToString(b)))}
	for offset := range 3 {
		padded := append(make([]byte, offset), b...)
		whole := padded[:len(padded)/3*3]
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			chars := encoding.EncodeToString(whole)
			if offset > 0 {
				chars = chars[4:]
			}
			all = append(all, []byte(chars))
		}
	}
	return all
}

// found returns those needles that a dump shows in any spelling.
func found(items map[string]memcachedtest.Item, needles [][]byte) (found [][]byte) {
	var hay []byte
	for key, item := range items {
		hay = append(append(append(append(hay, 0), key...), 0), item.Value...)
	}
	for _, needle := range needles {
		for _, spelling := range spellings(needle) {
			if bytes.Contains(hay, spelling) {
				found = append(found, needle)
				break
			}
		}
	}
	return found
}

func wantAbsent(t *testing.T, items map[string]memcachedtest.Item, what string, needles [][]byte) {
	t.Helper()
	if len(items) < dumped || len(needles) == 0 {
		t.Fatalf("%d items and %d needles: that tests nothing", len(items), len(needles))
	}
	if n := len(found(items, needles)); n > 0 {
		t.Errorf("the dump of %d items shows %d of %d: %s", len(items), n, len(needles), what)
	}
}

// tryAsSecrets shows everything that lies under a session's key as its secret.
func tryAsSecrets(t *testing.T, m *session.Manager, items map[string]memcachedtest.Item) {
	t.Helper()
	tried := 0
	for key, item := range items {
		_, id, _ := strings.Cut(key, ":")
		raw, err := base64.RawURLEncoding.DecodeString(id)
		if err != nil || len(raw) != idBytes {
			continue // a subject's list
		}
		for i := range len(item.Value) - secret + 1 {
			shown := base64.RawURLEncoding.EncodeToString(append(raw[:idBytes:idBytes], item.Value[i:i+secret]...))
			c, err := session.ParseCredential(shown)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Load(t.Context(), c); !errors.Is(err, session.ErrNotFound) {
				t.Errorf("bytes %d to %d of a value open its session: %v", i, i+secret, err)
			}
			tried++
		}
	}
	if tried < 1000 {
		t.Errorf("only %d credentials were tried", tried)
	}
}
