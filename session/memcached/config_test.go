package memcached_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memcached"
)

func TestNodesThatAreTaken(t *testing.T) {
	t.Parallel()
	for _, node := range []string{
		"127.0.0.1:11211", "localhost:1", "[::1]:65535", "[fe80::1%eth0]:11211", "cache-1.example.:11211",
		"does.not.resolve.invalid:11211", "my_cache:11211", "10.0.0.1.nip.example:11211", "unix:/run/memcached.sock", "unix:relative",
		"a=127.0.0.1:11211", "10.0.0.1:11211=10.0.0.2:11211", "a=unix:/x=y", "!~/#=localhost:1",
		strings.Repeat("n", 250) + "=localhost:1",
	} {
		t.Run(node, func(t *testing.T) {
			t.Parallel()
			if _, err := memcached.New(memcached.Config{Nodes: []string{node}}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNodesThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, node := range []string{
		"", "localhost", ":11211", "localhost:", "localhost:0", "localhost:65536", "localhost:-1", "localhost:memcache",
		"::1:11211", "10.0.0.256:11211", "10.0.0:11211", "http://localhost:11211", "local host:11211", "localhost:11211 ",
		"localhost:11211,other:11211", "/run/memcached.sock", "unix:", "=localhost:11211", "a b=localhost:11211",
		"a,b=localhost:11211", "ä=localhost:11211", "a=", "a", "a=b=localhost:11211", "a\n=localhost:11211",
		strings.Repeat("n", 251) + "=localhost:1", "n=" + strings.Repeat("h", 254) + ":1",
	} {
		t.Run(node, func(t *testing.T) {
			t.Parallel()
			_, err := memcached.New(memcached.Config{Nodes: []string{"good.example:11211", node}})
			if got := fields(err); !slices.Equal(got, []string{"memcached.Config.Nodes[1]"}) {
				t.Errorf("mistakes in %q (%v)", got, err)
			}
		})
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	s, err := memcached.New(memcached.Config{
		Nodes: []string{
			"a=one.example:1", "b=nowhere", "a=two.example:2", "c=one.example:1", "d=three.example:3",
		},
		Timeout: time.Microsecond, MaxConns: -1, MaxIdleConns: -1, MaxValueBytes: -1,
	})
	want := []string{
		"memcached.Config.Nodes[1]", "memcached.Config.Nodes[2]", "memcached.Config.Nodes[3]",
		"memcached.Config.Timeout", "memcached.Config.MaxConns", "memcached.Config.MaxIdleConns", "memcached.Config.MaxValueBytes",
	}
	if got := fields(err); !slices.Equal(got, want) {
		t.Errorf("mistakes in %q, want %q", got, want)
	}
	if s != nil {
		t.Error("a store beside the mistakes")
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		cfg   memcached.Config
		field string // that is wrong; empty if none is
	}{
		{memcached.Config{}, ""},
		{memcached.Config{Timeout: time.Millisecond, MaxIdleConns: 1, MaxValueBytes: 1}, ""},
		{memcached.Config{Timeout: time.Minute, MaxIdleConns: 65536, MaxValueBytes: 1 << 30}, ""},
		{memcached.Config{Timeout: -1}, "Timeout"},
		{memcached.Config{Timeout: time.Minute + 1}, "Timeout"},
		{memcached.Config{MaxConns: 65537}, "MaxConns"},
		{memcached.Config{MaxIdleConns: 65537}, "MaxIdleConns"},
		{memcached.Config{MaxValueBytes: 1<<30 + 1}, "MaxValueBytes"},
	} {
		test.cfg.Nodes = []string{"localhost:11211"}
		_, err := memcached.New(test.cfg)
		var want []string
		if test.field != "" {
			want = []string{"memcached.Config." + test.field}
		}
		if got := fields(err); !slices.Equal(got, want) {
			t.Errorf("%+v: mistakes in %q, want %q", test.cfg, got, want)
		}
	}
	if got := fields(mistakes(memcached.Config{})); !slices.Equal(got, []string{"memcached.Config.Nodes"}) {
		t.Errorf("no nodes: mistakes in %q", got)
	}
}

func mistakes(cfg memcached.Config) error {
	_, err := memcached.New(cfg)
	return err
}

// fields returns the fields of all ConfigErrors in err, in their order.
func fields(err error) []string {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []string
		for _, err := range joined.Unwrap() {
			all = append(all, fields(err)...)
		}
		return all
	}
	var c *session.ConfigError
	if !errors.As(err, &c) || c.Reason == "" {
		return []string{"not a ConfigError: " + err.Error()}
	}
	return []string{c.Field}
}

// Two slips that anybody makes once are told from the rest.
func TestSlipsInNodes(t *testing.T) {
	t.Parallel()
	for node, want := range map[string]string{
		"":                       `memcached.Config.Nodes[0] = "": is empty: want host:port, [ipv6]:port or unix:/path`,
		"a:1,b:2":                `memcached.Config.Nodes[0] = "a:1,b:2": has a comma: one node for each element`,
		"n1=a:1,n2=b:2":          `memcached.Config.Nodes[0] = "n1=a:1,n2=b:2": has a comma: one node for each element`,
		"a:1,n2=b:2":             `memcached.Config.Nodes[0] = "a:1,n2=b:2": has a comma: one node for each element`,
		"n1=unix:/a,b":           "",
		strings.Repeat("n", 251): `: a name has 1 to 250 bytes of printable ASCII without space, comma or equals sign`,
	} {
		_, err := memcached.New(memcached.Config{Nodes: []string{node}})
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasSuffix(err.Error(), want)) {
			t.Errorf("%q: %v, want %s", node, err, want)
		}
	}
}
