package memcached

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// NodeHealth is what is known of a node. Numbers are zero if Err is set. It can
// be copied and kept.
type NodeHealth struct {
	Name string // as in Config.Nodes, or the address if it has none there
	Addr string // as in Config.Nodes, without the name

	// Up says whether this store makes calls to the node, and has not given it
	// up for now because a call had no answer. It is what sessions meet, not
	// what this report has found: it is true, too, of a node that no call was
	// made to yet. How the node is at this moment is for Err to say.
	Up bool

	// Err is why the node did not report; nil if it did, and so is there.
	Err error

	// Evictions counts, since the node started, the items that it threw out
	// to make room before they had expired. Each may be a session that ended
	// too early: it should be 0, and needs more memory (-m) if it grows.
	Evictions uint64

	// Gets counts the keys that the node was asked for since it started, by
	// all processes. A credential that is turned away before the store leaves
	// it as it was.
	Gets uint64

	// Connections there are to the node now, this report's included, and how
	// often it had to turn one away (-c). From all processes.
	Connections         uint64
	RejectedConnections uint64

	// Items are how many it holds now, Bytes what they take, and LimitBytes what
	// they may take (-m).
	Items, Bytes, LimitBytes uint64
}

// MarshalJSON writes the fields under their names, and Err's text, "" if it is
// nil: an error by itself has no JSON. The text names addresses.
func (h NodeHealth) MarshalJSON() ([]byte, error) {
	type fields NodeHealth // without this method
	text := ""
	if h.Err != nil {
		text = h.Err.Error()
	}
	return json.Marshal(struct {
		fields
		Err string
	}{fields(h), text})
}

// Health asks every node, of both lists, for a report, all at the same time and
// each within Config.Timeout. It takes a connection of its own, also to a node
// that is down, so that it never waits behind calls nor they behind it. Nodes
// come in the order of Config.Nodes, then those of Config.Agree alone. When ctx
// ends, Err of those that have not reported is its error. Of a nil or zero Store
// the report is empty; of a closed one, Err is set.
func (s *Store) Health(ctx context.Context) []NodeHealth {
	nodes := s.lists().all()
	report := make([]NodeHealth, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() { report[i] = n.health(ctx) })
	}
	wg.Wait()
	return report
}

func (n *node) health(ctx context.Context) NodeHealth {
	h := NodeHealth{Name: n.name, Addr: n.addr}
	if n.network == "unix" {
		h.Addr = "unix:" + n.addr
	}
	stats, err := n.stats(ctx)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		h.Err = &nodeError{n.name, fmt.Errorf("stats: %w", err)}
	}
	h.Up = n.state.Load().down == nil
	h.Evictions, h.Gets = stats["evictions"], stats["cmd_get"]
	h.Connections, h.RejectedConnections = stats["curr_connections"], stats["rejected_connections"]
	h.Items, h.Bytes, h.LimitBytes = stats["curr_items"], stats["bytes"], stats["limit_maxbytes"]
	return h
}

// stats returns what the node's command of that name says in whole numbers
// (protocol.txt, "Statistics"). gomemcache doesn't have it.
func (n *node) stats(ctx context.Context) (map[string]uint64, error) {
	deadline := time.Now().Add(n.timeout)
	l, err := n.dial(ctx, deadline)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	l.Conn.SetDeadline(deadline)
	defer context.AfterFunc(ctx, l.interrupt)()
	if _, err := io.WriteString(l, "stats\r\n"); err != nil {
		return nil, err
	}
	// Some 5 KiB in memcached 1.6.
	stats, lines := make(map[string]uint64), bufio.NewScanner(io.LimitReader(l, 1<<20))
	for lines.Scan() {
		if lines.Text() == "END" {
			return stats, nil
		}
		f := strings.Fields(lines.Text())
		if len(f) < 2 || f[0] != "STAT" {
			return nil, fmt.Errorf("unexpected line %q", lines.Text())
		}
		if v, err := strconv.ParseUint(f[len(f)-1], 10, 64); err == nil {
			stats[f[1]] = v
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return nil, io.ErrUnexpectedEOF
}
