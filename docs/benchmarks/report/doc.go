// Package report makes a page of what the benchmarks printed: a table with ratios,
// the goals and whether they are reached, and charts. It also says what has
// become slower since another version. Statistics are benchstat's own packages:
// medians, with intervals that assume nothing about a distribution.
//
// A ratio is taken within each round, between two libraries that ran one right
// after the other, and then the median of these: what slows the machine for a
// while slows both.
package report
