package session_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/session"
)

func TestE2NothingSecretIsPrinted(t *testing.T) {
	t.Parallel()
	k := session.GenerateSealKey()
	m := newManager(t, session.Config{SealKeys: []session.SealKey{k}})
	s := m.New()
	name.Put(s, "treasure")
	commit(t, s)
	c := s.Credential()
	loaded := load(t, m, c)
	secrets := []string{
		c.Reveal(), c.Reveal()[22:], "treasure", fmt.Sprintf("%x", k.Reveal()),
		fmt.Sprint(k.Reveal()[:8])[1:20], base64.StdEncoding.EncodeToString(k.Reveal()),
	}
	raw, _ := base64.RawURLEncoding.DecodeString(c.Reveal())
	secrets = append(secrets, fmt.Sprintf("%x", raw[16:]), strings.Trim(fmt.Sprint(raw[20:30]), "[]"), strings.Trim(fmt.Sprint([]byte("treasure")), "[]"), fmt.Sprintf("%x", "treasure"))
	type hidden struct{ v any }
	type unexported struct {
		c session.Credential
		k session.SealKey
	}
	for what, v := range map[string]any{
		"credential": c, "pointer": &c, "seal key": k, "session": s, "loaded": loaded, "manager": m,
		"in a struct": unexported{c, k}, "in an interface": hidden{c}, "in a slice": []any{c, k, s, m},
		"config": session.Config{SealKeys: []session.SealKey{k}},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
			check(t, what+" by "+verb, fmt.Sprintf(verb, v), secrets)
		}
		if b, err := json.Marshal(v); err == nil {
			check(t, what+" as JSON", string(b), secrets)
		}
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		check(t, what+" in slog", log.String(), secrets)
	}
}

func check(t *testing.T, what, got string, secrets []string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(got, secret) {
			t.Errorf("%s shows a secret: %s", what, got)
		}
	}
}
