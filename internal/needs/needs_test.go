package needs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/internal/needs"
)

// A recorder notes how a test ended.
type recorder struct {
	testing.TB
	how string
}

func (r *recorder) Fatalf(format string, args ...any) { r.end("fails: "+format, args...) }

func (r *recorder) Skipf(format string, args ...any) { r.end("is skipped: "+format, args...) }

func (r *recorder) end(format string, args ...any) {
	r.how = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestProgram(t *testing.T) {
	const require = "COATCHECK_TEST_REQUIRE"
	for value, want := range map[string]string{"": "is skipped: ", "1": "fails: " + require} {
		t.Setenv(require, value)
		r := &recorder{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			needs.Program(r, require, "no-such-program")
		}()
		<-done
		if !strings.HasPrefix(r.how, want) || !strings.Contains(r.how, "no-such-program") {
			t.Errorf("%s=%s: the test %s", require, value, r.how)
		}
	}
	path, err := exec.LookPath(needs.Program(t, require, os.Args[0]))
	if err != nil || filepath.Base(path) != filepath.Base(os.Args[0]) {
		t.Errorf("%s is not what was looked for: %v", path, err)
	}
}
