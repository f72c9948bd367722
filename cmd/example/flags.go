package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/coatcheck/coatcheck/session/memcached"
)

// config is what flags and environment say. Its parts are well-formed; whether
// they go together is for the library to judge.
type config struct {
	addr, header, health      string
	metricsAddr               string // "": nowhere
	memcached, agree, apiKeys []string
	memcachedTimeout          time.Duration
	idle, lifetime            time.Duration
	secure                    bool
	tlsCert, tlsKey           string // files
	keys, externalKey         string // secrets
}

// An option is a flag and the environment variable that stands in for it.
type option struct {
	name, arg, fallback, usage string
	set                        func(c *config, text string) error
}

var options = []option{
	{"addr", "host:port", "127.0.0.1:9000", "where to listen; port 0 takes a free one, which is logged", setAddr},
	{"memcached", "[name=]host:port,...", "", `memcached servers; "" keeps sessions in this process`, setMemcached},
	{"memcached-agree", "[name=]host:port,...", "", "what -memcached is to become, or was: see docs/operations.md", setAgree},
	{"memcached-timeout", "duration", memcached.DefaultTimeout.String(), "how long a memcached server may take to answer a call", setMemcachedTimeout},
	{"idle", "duration", "30s", "ends a session without activity", setIdle},
	{"lifetime", "duration", "12h", "ends a session however active it is", setLifetime},
	{"header", "name", "X-Auth-Token", "where clients show a token, besides Authorization: Bearer", setHeader},
	{"api-keys", "key,...", "", "tokens that clients already have; flags are seen by other users", setAPIKeys},
	{"metrics-addr", "host:port", "", `where to serve /metrics, for operators only; "" serves none`, setMetricsAddr},
	{"secure", "", "false", "for https: the cookie is Secure and called __Host-session", setSecure},
	{"tls-cert", "file", "", "serve https with this certificate, its chain below it; implies -secure", setTLSCert},
	{"tls-key", "file", "", "the certificate's private key; both are PEM, and read once", setTLSKey},
}

const (
	envKeys        = "COATCHECK_KEYS"
	envExternalKey = "COATCHECK_EXTERNAL_KEY"
)

// env is the variable's name.
func (o *option) env() string {
	return "COATCHECK_" + strings.ToUpper(strings.ReplaceAll(o.name, "-", "_"))
}

// given is a flag as it was written. It is judged with all the others: package
// flag alone would stop at the first mistake.
type given struct {
	text          string
	present, bare bool // bare: may stand without a value
}

func (g *given) String() string   { return "" }
func (g *given) IsBoolFlag() bool { return g.bare }

func (g *given) Set(text string) error {
	g.text, g.present = text, true
	return nil
}

// parse reads flags, and the environment where there is none, and reports every
// mistake. An empty variable is as good as none.
func parse(args []string, getenv func(string) string) (c config, err error) {
	flags := flag.NewFlagSet("example", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.health, "health", "", "")
	values := make([]given, len(options))
	for i, o := range options {
		values[i].bare = o.arg == ""
		flags.Var(&values[i], o.name, "")
	}
	var errs []error
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return c, err
	} else if err != nil {
		errs = append(errs, fmt.Errorf("%w (-h lists the flags)", err))
	} else if flags.NArg() > 0 {
		errs = append(errs, fmt.Errorf("unexpected argument %q (-h lists the flags)", flags.Arg(0)))
	}
	idleGiven := false
	for i, o := range options {
		text, source := o.fallback, "-"+o.name
		if v := getenv(o.env()); v != "" {
			text, source = v, o.env()
		}
		if values[i].present {
			text, source = values[i].text, "-"+o.name
		}
		if o.name == "idle" {
			idleGiven = values[i].present || getenv(o.env()) != ""
		}
		if err := o.set(&c, text); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", source, err))
		}
	}
	if !idleGiven && c.lifetime > 0 {
		c.idle = min(c.idle, c.lifetime) // nobody asked for the longer one
	}
	c.keys, c.externalKey = getenv(envKeys), getenv(envExternalKey)
	return c, errors.Join(errs...)
}

func setAddr(c *config, text string) (err error) {
	c.addr, err = hostPort(text)
	return err
}

func setMetricsAddr(c *config, text string) (err error) {
	if text != "" {
		c.metricsAddr, err = hostPort(text)
	}
	return err
}

func hostPort(text string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", fmt.Errorf("%q is not host:port", text)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("%q has no port from 0 to 65535", text)
	}
	return net.JoinHostPort(host, port), nil
}

func setMemcached(c *config, text string) error {
	if text != "" && strings.TrimSpace(text) == "" {
		return errors.New(`is blank; "" is the embedded store`)
	}
	c.memcached = list(text)
	return nil
}

func setAgree(c *config, text string) error {
	c.agree = list(text)
	return nil
}

func setMemcachedTimeout(c *config, text string) error { return setDuration(&c.memcachedTimeout, text) }

func setIdle(c *config, text string) error     { return setDuration(&c.idle, text) }
func setLifetime(c *config, text string) error { return setDuration(&c.lifetime, text) }

func setDuration(d *time.Duration, text string) (err error) {
	if *d, err = time.ParseDuration(text); err != nil {
		return fmt.Errorf("%q is not a duration such as 30s or 12h", text)
	}
	if *d <= 0 { // the library takes 0 for its own default
		return fmt.Errorf("%q is not more than nothing", text)
	}
	return nil
}

func setHeader(c *config, text string) error {
	if text == "" { // the library takes it for its own default
		return errors.New("needs a header's name")
	}
	c.header = text
	return nil
}

func setAPIKeys(c *config, text string) error {
	c.apiKeys = list(text)
	return nil
}

func setSecure(c *config, text string) (err error) {
	if c.secure, err = strconv.ParseBool(text); err != nil {
		return fmt.Errorf("%q is neither true nor false", text)
	}
	return nil
}

func setTLSCert(c *config, text string) error {
	c.tlsCert, c.secure = text, c.secure || text != ""
	return nil
}

func setTLSKey(c *config, text string) error {
	c.tlsKey = text
	return nil
}

// list splits at commas. What is empty between two of them is the library's to
// complain about.
func list(text string) []string {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	parts := strings.Split(text, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}
