//go:build race

package chimw_test

// raceEnabled: the race detector allocates, and slows everything down.
const raceEnabled = true
