package docs_test

import (
	"slices"
	"strings"
	"testing"
)

// documented are the packages whose page of documentation has to be enough to use them.
var documented = []string{
	"chimw", "session", "session/memcached", "session/memcached/memcachedtest", "session/memory",
	"session/sessiontest", "session/storetest", "tokens",
}

// calledByOthers are methods that fmt, log/slog, encoding/json and errors call. What they do is shown by printing.
var calledByOthers = []string{
	"Error", "Format", "LogValue", "MarshalJSON", "MarshalText", "String", "UnmarshalText", "Unwrap",
}

func openPackageDocs(t *testing.T) map[string]*packageDoc {
	t.Helper()
	all, err := packageDocs()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A function has an Example of its own; a method is called in one. What implements an interface of package session is
// called by a manager, and shown there. An Example has no testing.TB, so the packages that ask for one are shown by
// the code in their text, which TestCodeInPackageDocs finds in a test.
func TestEverythingHasAnExample(t *testing.T) {
	t.Parallel()
	all := openPackageDocs(t)
	for _, p := range all {
		for _, f := range p.functions() {
			switch {
			case p.forTests():
				if !strings.Contains(strings.Join(p.code(), ""), f.Name()+"(") {
					t.Errorf("%s: no code in the text of the package calls it", f.FullName())
				}
			case f.Signature().Recv() == nil:
				if !p.examples[f.Name()] {
					t.Errorf("%s: there is no Example%s", f.FullName(), f.Name())
				}
			case !p.called[f.FullName()] && !slices.Contains(calledByOthers, f.Name()) && !all["session"].asksFor(f):
				t.Errorf("%s: no Example of the package calls it", f.FullName())
			}
		}
	}
}

// What is Go in a package's text stands in a test or an example: it compiles, and has been run.
func TestCodeInPackageDocs(t *testing.T) {
	t.Parallel()
	all := openPackageDocs(t)
	var tests strings.Builder
	for _, p := range all {
		tests.WriteString(p.tests)
	}
	for name, p := range all {
		for _, block := range p.code() {
			if !isGoCode(block) || strings.Contains(block, "mystore.") { // which the reader is about to write
				continue
			}
			if !strings.Contains(tests.String(), withoutIndent(block)) {
				t.Errorf("%s: this stands in no test:\n%s", name, block)
			}
		}
	}
}

// A link to what isn't there is printed with its unresolved.
func TestLinksInPackageDocs(t *testing.T) {
	t.Parallel()
	for name, p := range openPackageDocs(t) {
		for _, text := range p.texts() {
			for _, link := range p.deadLinks(text) {
				t.Errorf("%s: %s is no link", name, link)
			}
		}
	}
}
