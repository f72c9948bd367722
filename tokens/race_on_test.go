//go:build race

package tokens_test

// raceEnabled: the race detector makes sync.Pool drop things at random, so that
// allocations can't be counted where one is used.
const raceEnabled = true
