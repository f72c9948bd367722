package main_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	example "github.com/coatcheck/coatcheck/cmd/example"
	"github.com/coatcheck/coatcheck/internal/await"
)

// runOnce runs the program where it is expected to end by itself.
func runOnce(t *testing.T, e env, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), await.Limit)
	defer cancel()
	var out, log strings.Builder
	status = example.Run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), e.get, &out, &log)
	if ctx.Err() != nil {
		t.Errorf("it went on to serve:\n%s", log.String())
	}
	return status, out.String(), log.String()
}

func TestBadConfiguration(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env  env
		args []string
		want []string // the lines
	}{
		"an unknown flag": {
			args: []string{"-colour", "red"},
			want: []string{`flag provided but not defined: -colour (-h lists the flags)`},
		},
		"an argument": {
			args: []string{"serve"},
			want: []string{`unexpected argument "serve" (-h lists the flags)`},
		},
		"a flag without its value": {
			args: []string{"-idle"},
			want: []string{`flag needs an argument: -idle (-h lists the flags)`},
		},
		"addresses": {
			args: []string{"-addr", "localhost"},
			want: []string{`-addr: "localhost" is not host:port`},
		},
		"ports": {
			args: []string{"-addr", "127.0.0.1:65536"},
			want: []string{`-addr: "127.0.0.1:65536" has no port from 0 to 65535`},
		},
		"where to serve metrics": {
			env:  env{"COATCHECK_METRICS_ADDR": "9001"},
			want: []string{`COATCHECK_METRICS_ADDR: "9001" is not host:port`},
		},
		"several at once": {
			env:  env{"COATCHECK_LIFETIME": "0s", "COATCHECK_KEYS": "secret"},
			args: []string{"-idle", "30", "-secure=perhaps", "-header", "X Y", "-api-keys", "k,,l"},
			want: []string{
				`-idle: "30" is not a duration such as 30s or 12h`,
				`COATCHECK_LIFETIME: "0s" is not more than nothing`,
				`-secure: "perhaps" is neither true nor false`,
				`COATCHECK_KEYS: tokens.ParseKeys: key 1: want an ID, a colon, and the secret in base64`,
				`-api-keys: tokens.APIKeys: a key is empty`,
				`-header: chimw.Config.Header = "X Y": must be a header's name, and not one that requests carry anyway`,
			},
		},
		"durations that contradict each other": {
			env:  env{"COATCHECK_IDLE": "2h"},
			args: []string{"-lifetime", "1h"},
			want: []string{`-idle: session.Config.IdleTimeout = 2h0m0s: must be from 1s to MaxLifetime, 1h0m0s`},
		},
		"an idle timeout under a second": {
			args: []string{"-idle", "10ms"},
			want: []string{`-idle: session.Config.IdleTimeout = 10ms: must be from 1s to MaxLifetime, 12h0m0s`},
		},
		"a life of two years": {
			args: []string{"-lifetime", "17520h"},
			want: []string{`-lifetime: session.Config.Lifetime = 17520h0m0s: must be from 1s to 400 days`},
		},
		"memcached servers": {
			args: []string{"-memcached", "127.0.0.1:11211,,localhost"},
			want: []string{
				`-memcached: memcached.Config.Nodes[1] = "": is empty: want host:port, [ipv6]:port or unix:/path`,
				`-memcached: memcached.Config.Nodes[2] = "localhost": must be host:port, [ipv6]:port or unix:/path`,
			},
		},
		"lists that contradict each other": {
			args: []string{"-memcached", "a=127.0.0.1:1,b=127.0.0.1:2", "-memcached-agree", "a=127.0.0.1:1,c=127.0.0.1:2,b=127.0.0.1:3"},
			want: []string{
				`-memcached-agree: memcached.Config.Agree[1] = "c=127.0.0.1:2": has the name b in the other list`,
				`-memcached-agree: memcached.Config.Agree[2] = "b=127.0.0.1:3": has the address 127.0.0.1:2 in the other list`,
			},
		},
		"lists that share no server": {
			env:  env{"COATCHECK_MEMCACHED": "a=127.0.0.1:1", "COATCHECK_MEMCACHED_AGREE": "b=127.0.0.1:2"},
			want: []string{`-memcached-agree: memcached.Config.Agree = [b=127.0.0.1:2]: shares no node with the other list`},
		},
		"the second list alone": {
			args: []string{"-memcached-agree", "127.0.0.1:11211"},
			want: []string{`-memcached: memcached.Config.Nodes: at least one node is needed, as in []string{"127.0.0.1:11211"}`},
		},
		"an answer that may take two minutes": {
			args: []string{"-memcached", "127.0.0.1:11211", "-memcached-timeout", "2m"},
			want: []string{`-memcached-timeout: memcached.Config.Timeout = 2m0s: must be 0 or from 1 ms to 1 minute`},
		},
		"an answer that may take no time": {
			env:  env{"COATCHECK_MEMCACHED_TIMEOUT": "0"},
			want: []string{`COATCHECK_MEMCACHED_TIMEOUT: "0" is not more than nothing`},
		},
		"no header": {
			args: []string{"-header", ""},
			want: []string{`-header: needs a header's name`},
		},
		"J2 short keys": {
			env: env{"COATCHECK_KEYS": "a:c2hvcnQ=," + keyB + "," + keyB},
			want: []string{
				`COATCHECK_KEYS: tokens.ParseKeys: key 1: the secret has 5 bytes, and needs at least 32`,
				`COATCHECK_KEYS: tokens.ParseKeys: key 3: same ID as tokens.ParseKeys: key 2`,
			},
		},
		"two external keys": {
			env:  env{"COATCHECK_EXTERNAL_KEY": keyA + "," + keyB},
			want: []string{`COATCHECK_EXTERNAL_KEY: takes one key only`},
		},
		"a bad external key": {
			env:  env{"COATCHECK_EXTERNAL_KEY": "x:!"},
			want: []string{`COATCHECK_EXTERNAL_KEY: tokens.ParseKeys: key 1: what follows the colon is not base64`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := runOnce(t, tt.env, tt.args...)
			want := "example: " + strings.Join(tt.want, "\nexample: ") + "\n"
			if status != 2 || stdout != "" || stderr != want {
				t.Errorf("exit status %d, want 2; stdout %q; stderr:\n%swant:\n%s", status, stdout, stderr, want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	status, stdout, stderr := runOnce(t, nil, "-h")
	if status != 0 || stderr != "" {
		t.Errorf("exit status %d, stderr %q", status, stderr)
	}
	for _, part := range []string{
		"-addr", "COATCHECK_ADDR, default 127.0.0.1:9000", "-memcached", `COATCHECK_MEMCACHED, default ""`,
		"-memcached-agree", `COATCHECK_MEMCACHED_AGREE, default ""`,
		"-memcached-timeout duration", "COATCHECK_MEMCACHED_TIMEOUT, default 250ms",
		"-idle", "COATCHECK_IDLE, default 30s", "-lifetime", "COATCHECK_LIFETIME, default 12h",
		"-header", "COATCHECK_HEADER, default X-Auth-Token", "-api-keys", `COATCHECK_API_KEYS, default ""`,
		"-secure", "COATCHECK_SECURE, default false", "-tls-cert", `COATCHECK_TLS_CERT, default ""`, "-tls-key", `COATCHECK_TLS_KEY, default ""`,
		"-metrics-addr", `COATCHECK_METRICS_ADDR, default ""`, "-health", "COATCHECK_KEYS", "COATCHECK_EXTERNAL_KEY",
	} {
		if !strings.Contains(stdout, part) {
			t.Errorf("-h does not say %q", part)
		}
	}
	for line := range strings.Lines(stdout) {
		if len(line) > len("\n")+80 {
			t.Errorf("-h has a line of %d characters: %s", len(line), line)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	t.Run("by environment, unless there is a flag", func(t *testing.T) {
		t.Parallel()
		base := serve(t, env{
			"COATCHECK_HEADER": "X-Env", "COATCHECK_LIFETIME": "5m", "COATCHECK_API_KEYS": "one, two", "COATCHECK_SECURE": "true",
			"COATCHECK_MEMCACHED": "", "COATCHECK_IDLE": "",
		}, "-header", "X-Flag", "-secure=false")
		c := with(t, base, "X-Flag", "two")
		c.identifier()
		if d := c.session(); d.ID == nil || d.Deadline.Sub(*d.Created).Minutes() != 5 {
			t.Errorf("%+v", d)
		}
		if d := with(t, base, "X-Env", "two").session(); d.Carrier != "none" {
			t.Errorf("the flag's header does not win: %+v", d)
		}
	})
	t.Run("C1 -secure", func(t *testing.T) {
		t.Parallel()
		line := newClient(t, serve(t, nil, "-secure")).get("/").Header.Get("Set-Cookie")
		if !regexp.MustCompile(`^__Host-session=[\w-]{64}; Path=/; Secure; HttpOnly; SameSite=Lax$`).MatchString(line) {
			t.Errorf("Set-Cookie: %s", line)
		}
	})
	t.Run("the cookie without it", func(t *testing.T) {
		t.Parallel()
		line := newClient(t, serve(t, nil)).get("/").Header.Get("Set-Cookie")
		if !regexp.MustCompile(`^session=[\w-]{64}; Path=/; HttpOnly; SameSite=Lax$`).MatchString(line) {
			t.Errorf("Set-Cookie: %s", line)
		}
	})
	t.Run("without keys it warns", func(t *testing.T) {
		t.Parallel()
		_, log := serveLogged(t, nil)
		if line := log.Await(t, "COATCHECK_KEYS is not set"); !strings.Contains(line, "level=WARN") {
			t.Error(line)
		}
	})
	t.Run("with keys it does not", func(t *testing.T) {
		t.Parallel()
		_, log := serveLogged(t, env{"COATCHECK_KEYS": keyA})
		if strings.Contains(log.String(), "WARN") {
			t.Error(log)
		}
	})
}

func TestTakenPort(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	status, _, stderr := runOnce(t, env{"COATCHECK_KEYS": keyA}, "-addr", taken.Addr().String())
	if status != 1 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, taken.Addr().String()) || !strings.Contains(stderr, "try -addr 127.0.0.1:0") {
		t.Errorf("exit status %d, want 1 and a line that names the address and what to do:\n%s", status, stderr)
	}
}

func TestHealthFlag(t *testing.T) {
	t.Parallel()
	base := serve(t, nil)
	for name, tt := range map[string]struct {
		url    string
		status int
	}{
		"healthy":        {base + "/healthz", 0},
		"another page":   {base + "/nowhere", 1},
		"nobody there":   {"http://127.0.0.1:1/healthz", 1},
		"not a URL":      {"healthz", 1},
		"not one at all": {"http://[", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, _, stderr := runOnce(t, nil, "-health", tt.url)
			if status != tt.status || strings.Count(stderr, "\n") != tt.status {
				t.Errorf("exit status %d, want %d:\n%s", status, tt.status, stderr)
			}
		})
	}
}

// What the container's health check asks for is in the Dockerfile.
func TestDockerfileNamesRealSettings(t *testing.T) {
	t.Parallel()
	_, help, _ := runOnce(t, nil, "-h")
	for _, path := range []string{"Dockerfile", "../../docker-compose.yml"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`COATCHECK_[A-Z_]+`).FindAllString(string(text), -1) {
			if name != "COATCHECK_REQUIRE_MEMCACHED" && !strings.Contains(help, name) {
				t.Errorf("%s sets %s, which -h does not explain", path, name)
			}
		}
		if !strings.Contains(string(text), "-health") || !strings.Contains(string(text), "/healthz") {
			t.Errorf("%s does not ask for the health", path)
		}
	}
	newClient(t, serve(t, nil)).get("/healthz").want(t, http.StatusOK)
}
