// Package benchmarks measures coatcheck beside the libraries that its users would
// otherwise choose, in the same run, on the same machine and over the same
// memcached, so that what counts are ratios. ../benchmarks.md shows and explains
// them; `make bench` measures again and rewrites that page.
//
// Each library is behind a [Library], the same [Routes] are mounted on all, and
// a [Client] shows what it was given and keeps what it is given next. A module of
// its own, so that none of the peers is in the go.sum of anybody else.
package benchmarks
