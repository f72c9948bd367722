package memcached

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

const (
	// DefaultTimeout bounds a call if Config.Timeout is zero.
	DefaultTimeout = 250 * time.Millisecond

	// DefaultMaxConns is used if Config.MaxConns is zero. A memcached with
	// its default limit (-c 1024) has room for 30 processes so.
	DefaultMaxConns = 32

	// DefaultMaxIdleConns is used if Config.MaxIdleConns is zero.
	DefaultMaxIdleConns = DefaultMaxConns

	// DefaultMaxValueBytes is used if Config.MaxValueBytes is zero. It is
	// what memcached's default limit of an item, 1 MiB, has room for beside
	// the longest key (251 bytes with its end) and the item's header (58
	// bytes in memcached 1.6 on 64 bits), and some to spare.
	DefaultMaxValueBytes = 1<<20 - 512
)

const (
	maxTimeout    = time.Minute
	maxConns      = 1 << 16
	maxValueBytes = 1 << 30 // memcached -I takes no more
	maxNameBytes  = 250
	maxPathBytes  = 107 // of a unix socket, on Linux; elsewhere it is even less
)

// Config configures a [Store]. New copies it. Of the zero values only Nodes'
// is wrong.
type Config struct {
	// Nodes are the memcached servers, at least one, each written as
	//
	//	[name=]host:port
	//	[name=]unix:/path/of/socket
	//
	// The name decides which keys a node has, and is the address if there is
	// none. Give names where addresses may change: a node that moves under
	// its old name keeps its keys. All processes that share sessions must
	// have the same names; their order says nothing. Names and addresses
	// must each be unique. A name has 1 to 250 bytes of printable ASCII
	// without space, comma or equals sign.
	//
	// A host name is resolved whenever a connection is made, so that one
	// that does not resolve yet is no mistake, and every 30 seconds, when
	// idle connections to where it does not lead any more are closed.
	Nodes []string

	// Agree is the other list of nodes, while Nodes is being changed from one
	// to another: the list that Nodes is to become, or was. As long as it is
	// set, only IDs on whose node both lists agree are Available to new sessions, and entries whose keys
	// can't be drawn (external sessions, lists of a subject's sessions) are
	// kept by both owners. It must share a node with Nodes, and what has one
	// name, or one address, in both must have the other too. See SetNodes.
	// Nil, or empty, is right at all other times: there is no change.
	Agree []string

	// Timeout bounds each call, connecting included, and before it the wait for
	// its turn (see MaxConns): both together take at most twice as long.
	// Zero means DefaultTimeout; otherwise 1 ms to 1 minute.
	Timeout time.Duration

	// MaxConns limits the connections to each node, and with them the calls
	// at the same time. Further calls queue, no longer than Timeout, and not
	// at all for a node that is down. All processes together must stay below
	// what the nodes allow (memcached -c), with some to spare: a connection
	// counts there for a moment after it was closed, and health reports and
	// probes have their own.
	// Zero means DefaultMaxConns; otherwise 1 to 65536.
	MaxConns int

	// MaxIdleConns limits how many connections to each node are kept open
	// without a call on them; never more than MaxConns.
	// Zero means DefaultMaxIdleConns; otherwise 1 to 65536.
	MaxIdleConns int

	// MaxValueBytes limits values: larger ones are session.ErrTooLarge and
	// are not sent. Raise it only with memcached's own limit (-I), to 512
	// bytes less than that.
	// Zero means DefaultMaxValueBytes; otherwise 1 to 1 GiB.
	MaxValueBytes int

	// DialContext makes connections; network is "tcp" or "unix". It must
	// honour ctx and be safe for concurrent use. That of a tls.Dialer speaks
	// TLS; see Authenticated for passwords. A connection's Close must not
	// wait for the node; a *tls.Conn's is not called, but that of the
	// connection below it. Nil means that of a zero net.Dialer.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)

	// LookupHost resolves the nodes' host names, every 30 seconds, to tell
	// which idle connections lead where a name no longer does. It should
	// resolve as DialContext does, honour ctx and be safe for concurrent use.
	// Nil means that of net.DefaultResolver.
	LookupHost func(ctx context.Context, host string) ([]string, error)

	// Observe is told when a node goes down and when it is up again: a
	// session.NodeDown, with Err saying why, or a session.NodeUp, with Node
	// its name. It must be quick and safe for concurrent use.
	// Nil means session.LogEvents(nil).
	Observe func(ctx context.Context, e session.Event)
}

// withDefaults returns cfg with defaults for zero values.
func (cfg Config) withDefaults() Config {
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.MaxConns == 0 {
		cfg.MaxConns = DefaultMaxConns
	}
	if cfg.MaxIdleConns == 0 {
		cfg.MaxIdleConns = DefaultMaxIdleConns
	}
	if cfg.MaxValueBytes == 0 {
		cfg.MaxValueBytes = DefaultMaxValueBytes
	}
	if cfg.DialContext == nil {
		cfg.DialContext = new(net.Dialer).DialContext
	}
	if cfg.LookupHost == nil {
		cfg.LookupHost = net.DefaultResolver.LookupHost
	}
	if cfg.Observe == nil {
		cfg.Observe = session.LogEvents(nil)
	}
	return cfg
}

// check returns everything that is wrong with the numbers of a complete cfg.
func (cfg Config) check() error {
	var errs []error
	wrong := func(field string, value any, reason string) {
		errs = append(errs, &session.ConfigError{Field: "memcached.Config." + field, Value: value, Reason: reason})
	}
	if cfg.Timeout < time.Millisecond || cfg.Timeout > maxTimeout {
		wrong("Timeout", cfg.Timeout, "must be 0 or from 1 ms to 1 minute")
	}
	if cfg.MaxConns < 1 || cfg.MaxConns > maxConns {
		wrong("MaxConns", cfg.MaxConns, "must be 0 or from 1 to 65536")
	}
	if cfg.MaxIdleConns < 1 || cfg.MaxIdleConns > maxConns {
		wrong("MaxIdleConns", cfg.MaxIdleConns, "must be 0 or from 1 to 65536")
	}
	if cfg.MaxValueBytes < 1 || cfg.MaxValueBytes > maxValueBytes {
		wrong("MaxValueBytes", cfg.MaxValueBytes, "must be 0 or from 1 to 1 GiB")
	}
	return errors.Join(errs...)
}

// A target is one of Config.Nodes.
type target struct {
	name          string
	network, addr string // as net.Dial takes them
}

// parseNodes returns the targets of a list, or everything that is wrong with it.
func parseNodes(field string, nodes []string) ([]target, error) {
	if len(nodes) == 0 {
		return nil, &session.ConfigError{Field: field, Reason: `at least one node is needed, as in []string{"127.0.0.1:11211"}`}
	}
	var targets []target
	var errs []error
	seen := make(map[string]bool)
	for i, node := range nodes {
		t, err := parseNode(node)
		switch {
		case err != nil:
		case seen["name "+t.name]:
			err = fmt.Errorf("the name %q is there twice", t.name)
		case seen["address "+t.addr]:
			err = fmt.Errorf("the address %q is there twice", t.addr)
		}
		seen["name "+t.name], seen["address "+t.addr] = true, true
		if err != nil {
			errs = append(errs, &session.ConfigError{Field: fmt.Sprintf("%s[%d]", field, i), Value: node, Reason: err.Error()})
		}
		targets = append(targets, t)
	}
	return targets, errors.Join(errs...)
}

func parseNode(node string) (target, error) {
	name, where, named := strings.Cut(node, "=")
	if !named {
		where = node
	}
	switch {
	case node == "":
		return target{}, errors.New("is empty: want host:port, [ipv6]:port or unix:/path")
	case strings.Contains(name, ","), strings.Contains(where, ",") && !strings.HasPrefix(where, "unix:"):
		return target{}, errors.New("has a comma: one node for each element")
	case !legalName(name):
		return target{}, errors.New("a name has 1 to 250 bytes of printable ASCII without space, comma or equals sign")
	}
	if path, ok := strings.CutPrefix(where, "unix:"); ok {
		if path == "" {
			return target{}, errors.New("the socket's path is missing")
		}
		if len(path) > maxPathBytes {
			return target{}, fmt.Errorf("the socket's path has more than %d bytes", maxPathBytes)
		}
		return target{name: name, network: "unix", addr: path}, nil
	}
	if err := checkHostPort(where); err != nil {
		return target{}, err
	}
	return target{name: name, network: "tcp", addr: where}, nil
}

func legalName(name string) bool {
	for _, c := range []byte(name) {
		if c <= ' ' || c > '~' || c == ',' {
			return false
		}
	}
	return len(name) >= 1 && len(name) <= maxNameBytes
}

func checkHostPort(hostPort string) error {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return errors.New("must be host:port, [ipv6]:port or unix:/path")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("the port %q is not a number from 1 to 65535", port)
	}
	if !legalHost(host) {
		return fmt.Errorf("%q is neither an IP address nor a host name", host)
	}
	return nil
}

// legalHost reports whether host is an IP address or can be a host's name.
// What ends in a number can only be an address: 10.0.0.256 is a mistake.
func legalHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	for _, c := range []byte(host) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	last := host[strings.LastIndexByte(strings.TrimSuffix(host, "."), '.')+1:]
	_, err := strconv.Atoi(strings.TrimSuffix(last, "."))
	return err != nil && len(host) >= 1 && len(host) <= 253
}
