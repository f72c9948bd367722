//go:build race

package drills_test

// raceEnabled: the race detector slows everything down.
const raceEnabled = true
