package child

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
)

// A Journal is what a program writes to stderr. It can be read while that goes
// on. Its zero value is of no use: see NewJournal.
type Journal struct {
	mu    sync.Mutex
	text  strings.Builder
	more  chan struct{} // closed, and replaced, when there is more, or no more
	ended bool
}

// NewJournal returns an empty one.
func NewJournal() *Journal { return &Journal{more: make(chan struct{})} }

// Write adds to the end.
func (j *Journal) Write(b []byte) (int, error) {
	j.change(func() { j.text.Write(b) })
	return len(b), nil
}

// End says that there will be no more: nobody needs to wait for it.
func (j *Journal) End() { j.change(func() { j.ended = true }) }

func (j *Journal) change(by func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	by()
	close(j.more)
	j.more = make(chan struct{})
}

// String returns all of it, so far.
func (j *Journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// Await returns the first line that has the text in it, when it is complete.
func (j *Journal) Await(t testing.TB, text string) string {
	t.Helper()
	timeout := time.After(await.Limit)
	for {
		j.mu.Lock()
		all, more, ended := j.text.String(), j.more, j.ended
		j.mu.Unlock()
		for line := range strings.Lines(all) {
			if strings.Contains(line, text) && strings.HasSuffix(line, "\n") {
				return line
			}
		}
		if ended {
			t.Fatalf("ended without a line with %q:\n%s", text, all)
		}
		select {
		case <-more:
		case <-timeout:
			t.Fatalf("no line with %q within %v:\n%s", text, await.Limit, all)
		}
	}
}
