package memcached

import "slices"

// A placement says which node has a key: rendezvous hashing (Thaler and
// Ravishankar, 1998). Each node scores each key and the highest score has it.
// A node that comes or goes takes or leaves its own keys, 1/n of all, and moves
// no others.
//
// The scores are part of the format of what is stored: every process must come
// to the same ones, in every version of this package. They are not secret, and
// need not be, as keys are drawn by the server.
type placement []member

type member struct {
	*node
	seed uint64
}

func newPlacement(nodes []*node) placement {
	p := make(placement, len(nodes))
	for i, n := range nodes {
		p[i] = member{node: n, seed: mix(hash(n.name))}
	}
	return p
}

// owner returns the node that has key, or nil of an empty placement.
func (p placement) owner(key string) *node {
	if len(p) == 1 {
		return p[0].node
	}
	var owner *node
	var highest uint64
	h := hash(key)
	for _, m := range p {
		score := mix(h ^ m.seed)
		// Equal scores are as good as impossible, but the order of the list
		// must not decide even then.
		if owner == nil || score > highest || score == highest && m.name > owner.name {
			owner, highest = m.node, score
		}
	}
	return owner
}

func (p placement) has(n *node) bool {
	return slices.ContainsFunc(p, func(m member) bool { return m.node == n })
}

func (p placement) names() []string {
	var names []string
	for _, m := range p {
		names = append(names, m.name)
	}
	return names
}

// hash is FNV-1a with 64 bits (RFC 9923).
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// mix makes every bit of h count in every bit of the result. It is the
// finalizer of MurmurHash3 (Appleby, public domain).
func mix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
