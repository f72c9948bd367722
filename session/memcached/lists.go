package memcached

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/coatcheck/coatcheck/session"
)

// lists are the two lists of nodes that an operation sees: it looks at them once,
// at its beginning. They are never changed.
type lists struct {
	nodes placement
	agree placement // empty unless the nodes are being changed
}

// A place is where a key is looked up: at a node, and at another one too if the
// key was not drawn so that both lists agree.
type place struct {
	node, other *node
}

// SetNodes replaces [Config.Nodes] and [Config.Agree]: calls that begin
// afterwards see the new lists, calls under way the old ones. Nodes that stay
// keep their connections. If anything is wrong with the lists, all of it is
// returned, each a *[session.ConfigError], joined, and nothing has changed.
//
// A change that logs nobody out has three steps. Each is taken by every process,
// and the configuration that processes start with, before the next one begins:
//
//  1. SetNodes(old, new); then wait for a MaxLifetime of the session managers,
//  2. SetNodes(new, old),
//  3. SetNodes(new, nil).
//
// From the first on, new sessions are placed only where both lists find them; when
// those from before have ended, the lists can change places. Nodes that are new
// must be running before the first step, and have no sessions until the third.
// One that is dead for good is given up by the second and third. SetNodes(new, nil)
// at once is an abrupt change: the sessions of 1/n of the keys are not found any
// more. See docs/operations.md.
func (s *Store) SetNodes(nodes, agree []string) error {
	if s.lists() == nil {
		return errNoNew
	}
	wanted, err := parseLists("memcached.SetNodes.nodes", nodes, "memcached.SetNodes.agree", agree)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("memcached: the store is closed: %w", net.ErrClosed)
	}
	before := s.lists()
	now := wanted.build(before, s.cfg)
	s.current.Store(now)
	kept := make(map[*node]bool)
	for _, n := range now.all() {
		kept[n] = true
	}
	for _, n := range before.all() {
		if !kept[n] {
			_ = n.retire() // what closing an idle connection says is of no use
		}
	}
	return nil
}

// Nodes returns the names in both lists as they are now: as New or SetNodes was
// given them, without addresses. Agree is empty unless a change is under way. So
// a process can tell which step of it has arrived.
func (s *Store) Nodes() (nodes, agree []string) {
	if l := s.lists(); l != nil {
		return l.nodes.names(), l.agree.names()
	}
	return nil, nil
}

// targets are two lists that were found to be in order.
type targets struct{ nodes, agree []target }

func parseLists(nodesField string, nodes []string, agreeField string, agree []string) (targets, error) {
	var t targets
	var errs [2]error
	t.nodes, errs[0] = parseNodes(nodesField, nodes)
	if len(agree) > 0 {
		t.agree, errs[1] = parseNodes(agreeField, agree)
	}
	if err := errors.Join(errs[:]...); err != nil || len(agree) == 0 {
		return t, err
	}
	return t, t.check(agreeField, agree)
}

// check compares the lists. A name stands for keys and an address for what has
// them: two names for one server, or two servers by one name, would make the
// lists agree on a node that is none, or differ about one.
func (t targets) check(field string, agree []string) error {
	var errs []error
	shared := false
	for i, a := range t.agree {
		for _, n := range t.nodes {
			switch {
			case a == n:
				shared = true
			case a.name == n.name:
				errs = append(errs, &session.ConfigError{Field: fmt.Sprintf("%s[%d]", field, i), Value: agree[i], Reason: "has the address " + n.addr + " in the other list"})
			case a.addr == n.addr:
				errs = append(errs, &session.ConfigError{Field: fmt.Sprintf("%s[%d]", field, i), Value: agree[i], Reason: "has the name " + n.name + " in the other list"})
			}
		}
	}
	if !shared && len(errs) == 0 {
		// No ID could be drawn on which they agree.
		errs = append(errs, &session.ConfigError{Field: field, Value: agree, Reason: "shares no node with the other list"})
	}
	return errors.Join(errs...)
}

// build makes the nodes of two lists, or takes them over from the lists before.
func (t targets) build(before *lists, cfg Config) *lists {
	made := make(map[target]*node)
	for _, n := range before.all() {
		made[n.target] = n
	}
	list := func(targets []target) placement {
		nodes := make([]*node, len(targets))
		for i, t := range targets {
			if made[t] == nil {
				made[t] = newNode(t, cfg)
			}
			nodes[i] = made[t]
		}
		return newPlacement(nodes)
	}
	return &lists{nodes: list(t.nodes), agree: list(t.agree)}
}

// all returns the nodes of both lists, each once.
func (l *lists) all() []*node {
	if l == nil {
		return nil
	}
	var all []*node
	seen := make(map[*node]bool)
	for _, m := range append(append(placement(nil), l.nodes...), l.agree...) {
		if !seen[m.node] {
			seen[m.node] = true
			all = append(all, m.node)
		}
	}
	return all
}

// anyAvailable reports whether there is a node for new sessions about which there
// is no doubt.
func (l *lists) anyAvailable() bool {
	return slices.ContainsFunc(l.nodes, func(m member) bool {
		return m.available() && (len(l.agree) == 0 || l.agree.has(m.node))
	})
}

func (l *lists) find(key string) place {
	at := place{node: l.nodes.owner(key)}
	if len(l.agree) == 0 {
		return at
	}
	if other := l.agree.owner(key); other != at.node && !drawn(key) {
		at.other = other
	}
	return at
}

// drawn reports whether a key is one that a session manager draws until it is
// Available: a name, a colon and a random UUID (version 4) as 22 characters of
// base64url, as docs/formats.md says. Of others, such as a subject's index and
// an external session (version 8), the lists may name different owners.
func drawn(key string) bool {
	_, id, ok := strings.Cut(key, ":")
	if !ok || len(id) != 22 {
		return false
	}
	var b [16]byte
	n, err := base64.RawURLEncoding.Strict().Decode(b[:], []byte(id))
	return err == nil && n == len(b) && b[6]>>4 == 4 && b[8]>>6 == 2
}
