package tokens_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/tokens"
)

func TestNewSignerRefuses(t *testing.T) {
	t.Parallel()
	one, two := key(t, "k1", 1), key(t, "k2", 2)
	sameID, sameSecret := key(t, "k1", 3), key(t, "k3", 1)
	keys := []tokens.Key{one}
	rows := []struct {
		name   string
		config tokens.Config
		fields []string // of the mistakes, in order
	}{
		{"the zero Config", tokens.Config{}, []string{"Issuer", "Keys"}},
		{"no keys", tokens.Config{Issuer: "x"}, []string{"Keys"}},
		{"J2 the zero Key", tokens.Config{Issuer: "x", Keys: []tokens.Key{{}}}, []string{"Keys[0]"}},
		{"J2 the zero Key behind others", tokens.Config{Issuer: "x", Keys: []tokens.Key{one, {}, two}}, []string{"Keys[1]"}},
		{"J2 the zero Key before others", tokens.Config{Issuer: "x", Keys: []tokens.Key{{}, one, one}}, []string{"Keys[0]", "Keys[2]"}},
		{"two keys with one ID", tokens.Config{Issuer: "x", Keys: []tokens.Key{one, two, sameID}}, []string{"Keys[2]"}},
		{"J14 two keys with one secret", tokens.Config{Issuer: "x", Keys: []tokens.Key{one, two, sameSecret}}, []string{"Keys[2]"}},
		{"an issuer with a quote", tokens.Config{Issuer: `a"b`, Keys: keys}, []string{"Issuer"}},
		{"an issuer with a backslash", tokens.Config{Issuer: `a\b`, Keys: keys}, []string{"Issuer"}},
		{"an issuer that is escaped for HTML", tokens.Config{Issuer: `a&b`, Keys: keys}, []string{"Issuer"}},
		{"an issuer with a control character", tokens.Config{Issuer: "a\nb", Keys: keys}, []string{"Issuer"}},
		{"an issuer beyond ASCII", tokens.Config{Issuer: "ü", Keys: keys}, []string{"Issuer"}},
		{"an issuer too long", tokens.Config{Issuer: strings.Repeat("a", 201), Keys: keys}, []string{"Issuer"}},
		{"a negative TTL", tokens.Config{Issuer: "x", Keys: keys, TTL: -time.Second}, []string{"TTL"}},
		{"a TTL under a second", tokens.Config{Issuer: "x", Keys: keys, TTL: time.Second - 1}, []string{"TTL"}},
		{"J5 a leeway over a minute", tokens.Config{Issuer: "x", Keys: keys, Leeway: time.Minute + 1}, []string{"Leeway"}},
		{"a type with a space", tokens.Config{Issuer: "x", Keys: keys, Type: "a b"}, []string{"Type"}},
		{"a type with a quote", tokens.Config{Issuer: "x", Keys: keys, Type: `a"b`}, []string{"Type"}},
		{"a type too long", tokens.Config{Issuer: "x", Keys: keys, Type: strings.Repeat("a", 65)}, []string{"Type"}},
		{
			"everything at once",
			tokens.Config{Issuer: "\x00", Keys: []tokens.Key{one, one, {}}, TTL: -1, Leeway: time.Hour, Type: "?"},
			[]string{"Issuer", "TTL", "Leeway", "Type", "Keys[1]", "Keys[2]"},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s, err := tokens.NewSigner(row.config)
			if s != nil || err == nil {
				t.Fatalf("NewSigner: %v, %v", s, err)
			}
			var fields []string
			for _, e := range configErrors(t, err) {
				fields = append(fields, strings.TrimPrefix(e.Field, "tokens.Config."))
				if e.Reason == "" || !strings.Contains(e.Error(), e.Field) || !strings.Contains(e.Error(), e.Reason) {
					t.Errorf("%q does not name %q and %q", e.Error(), e.Field, e.Reason)
				}
				if e.Value != nil && !strings.Contains(e.Error(), fmt.Sprint(e.Value)) {
					t.Errorf("%q does not name %q", e.Error(), e.Value)
				}
			}
			if !slices.Equal(fields, row.fields) {
				t.Errorf("mistakes in %v, want %v\n%v", fields, row.fields, err)
			}
			if strings.Contains(err.Error(), "\x01\x01") {
				t.Errorf("the error shows a secret: %q", err)
			}
		})
	}
}

func TestNewSignerAccepts(t *testing.T) {
	t.Parallel()
	keys := []tokens.Key{key(t, "k1", 1)}
	for name, c := range map[string]tokens.Config{
		"the least":            {Keys: keys},
		"the shortest TTL":     {Keys: keys, TTL: time.Second},
		"the longest TTL":      {Keys: keys, TTL: 1<<63 - 1},
		"the longest leeway":   {Keys: keys, Leeway: time.Minute},
		"no leeway":            {Keys: keys, Leeway: tokens.NoLeeway},
		"any negative leeway":  {Keys: keys, Leeway: -time.Hour},
		"an issuer with words": {Keys: keys, Issuer: "The Coat Check, Ltd. (EU)"},
		"a media type":         {Keys: keys, Type: "application/session+jwt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				s := signer(t, c)
				accepted(t, s, sign(t, s, time.Hour))
			})
		})
	}
	t.Run("the Config's keys are copied", func(t *testing.T) {
		t.Parallel()
		keys := []tokens.Key{key(t, "k1", 1)}
		s := signer(t, tokens.Config{Keys: keys})
		token := sign(t, s, time.Hour)
		keys[0] = key(t, "k2", 2)
		accepted(t, s, token)
		accepted(t, s, sign(t, s, time.Hour))
	})
}
