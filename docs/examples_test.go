package docs_test

import (
	"maps"
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

// TestPackageDocs checks what go doc shows of each package.
func TestPackageDocs(t *testing.T) {
	t.Parallel()
	all := openPackageDocs(t)
	for name, p := range all {
		for _, mistake := range slices.Concat(p.withoutExample(all["session"]), p.codeInNoTest(all), p.deadLinks()) {
			t.Errorf("%s: %s", name, mistake)
		}
	}
}

// withoutExample says what is not shown. A function has an Example of its own; a method is called in one. What
// implements an interface of package session is called by a manager, and shown there. An Example has no testing.TB, so
// the packages that ask for one are shown by the code in their text, which codeInNoTest finds in a test.
func (p *packageDoc) withoutExample(session *packageDoc) (mistakes []string) {
	for _, f := range p.functions() {
		switch {
		case p.forTests():
			if !strings.Contains(strings.Join(p.code(), ""), f.Name()+"(") {
				mistakes = append(mistakes, "no code in the text of the package calls "+f.Name())
			}
		case f.Signature().Recv() == nil:
			if !p.examples[f.Name()] {
				mistakes = append(mistakes, "there is no Example"+f.Name())
			}
		case !p.called[f.FullName()] && !slices.Contains(calledByOthers, f.Name()) && !session.asksFor(f):
			mistakes = append(mistakes, "no Example of the package calls "+f.FullName())
		}
	}
	return mistakes
}

// codeInNoTest says what Go in a package's text stands in no test or example of all these, where it compiles and is run.
func (p *packageDoc) codeInNoTest(all map[string]*packageDoc) (mistakes []string) {
	for _, block := range p.code() {
		tested := func(other *packageDoc) bool { return strings.Contains(other.tests, withoutIndent(block)) }
		if !isGoCode(block) || strings.Contains(block, "mystore.") { // which the reader is about to write
			continue
		}
		if !slices.ContainsFunc(slices.Collect(maps.Values(all)), tested) {
			mistakes = append(mistakes, "this stands in no test:\n"+block)
		}
	}
	return mistakes
}

// TestPackageDocMistakes takes away, or adds, what TestPackageDocs is there for.
func TestPackageDocMistakes(t *testing.T) {
	t.Parallel()
	all := openPackageDocs(t)
	session, suite := all["session"], all["session/storetest"]
	wants := func(got []string, want string) {
		t.Helper()
		if !slices.Contains(got, want) {
			t.Errorf("%q, want %q among them", got, want)
		}
	}

	unshown := *session
	unshown.examples, unshown.called = maps.Clone(session.examples), maps.Clone(session.called)
	delete(unshown.examples, "NewManager")
	delete(unshown.called, "(*"+modulePath+"/session.Manager).Load")
	wants(unshown.withoutExample(session), "there is no ExampleNewManager")
	wants(unshown.withoutExample(session), "no Example of the package calls (*"+modulePath+"/session.Manager).Load")

	written := *suite.doc
	written.Doc = "It does [Nothing], with [Run].\n\n\tx := storetest.Walk(t)\n\nAnd:\n\n\tno code [Nobody]\n"
	text := *suite
	text.doc = &written
	wants(text.withoutExample(session), "no code in the text of the package calls Run")
	wants(text.codeInNoTest(all), "this stands in no test:\nx := storetest.Walk(t)\n")
	if got := text.deadLinks(); !slices.Equal(got, []string{"[Nothing] is no link"}) {
		t.Errorf("dead links: %q", got)
	}
}
