//go:build race

package histories_test

// share is by how much the long tests are shortened. Under the race detector
// they take three times as long: `make norace` runs them in full.
const share = 5
