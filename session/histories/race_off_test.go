//go:build !race

package histories_test

const share = 1
