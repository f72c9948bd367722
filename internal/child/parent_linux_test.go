package child_test

import (
	"testing"

	"github.com/coatcheck/coatcheck/internal/await"
)

// The child's child has its stdout: that is read to the end only when both have
// ended.
func TestEndsWithItsParent(t *testing.T) {
	t.Parallel()
	cmd := as("leaves a child")
	cmd.WaitDelay = await.Limit
	if _, err := cmd.Output(); err != nil {
		t.Errorf("%v, want the end of both", err) // exec.ErrWaitDelay, if one is left
	}
}
