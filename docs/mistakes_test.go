package docs_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestMistakes plants mistakes in a page, each of which must be found, beside
// what is much like it and right.
func TestMistakes(t *testing.T) {
	t.Parallel()
	r := openRepo(t)
	for name, tt := range map[string]struct{ text, want string }{
		"a link":                        {"[that](operations.md)", ""},
		"a link to a folder":            {"[that](../session)", ""},
		"a dead link":                   {"[that](nowhere.md)", "no such file"},
		"a dead link over two lines":    {"[a\nb](nowhere.md)", "no such file"},
		"a dead link in a heading":      {"## [that](nowhere.md)", "no such file"},
		"a dead link around an image":   {"[![that](benchmarks/size.svg)](nowhere.md)", "no such file"},
		"a title in single quotes":      {"[that](nowhere.md 'title')", "a form that is not read"},
		"a title in parentheses":        {"[that](nowhere.md (title))", "a form that is not read"},
		"a title with escaped quotes":   {`[that](nowhere.md "a \"title\"")`, "a form that is not read"},
		"a path with a space":           {"[that](<no where.md>)", "a form that is not read"},
		"a label with a bracket":        {`[that][a\[b]`, "nothing defines"},
		"a dead link of HTML":           {"<a href=nowhere.md>that</a>", "no such file"},
		"a dead link in single quotes":  {"<a href='nowhere.md'>that</a>", "no such file"},
		"a page elsewhere, by www":      {"see www.example.com", "no such file"},
		"a dead image":                  {"![that](nowhere.svg)", "no such file"},
		"a dead image of HTML":          {`<img alt="" src="nowhere.svg">`, "no such file"},
		"a dead source of HTML":         {`<source srcset="benchmarks/size.svg 1x, nowhere.svg 2x">`, "no such file"},
		"a link in code":                {"`[that](nowhere.md)`", ""},
		"a link in a comment":           {"<!-- [that](nowhere.md) -->", ""},
		"a link out of the repository":  {"[that](../../etc/passwd)", "not a path within"},
		"an absolute path":              {"[that](/README.md)", "not a path within"},
		"an anchor":                     {"[that](operations.md#memcacheds-flags)", ""},
		"an anchor here":                {"# That, and `this`\n[that](#that-and-this)", ""},
		"the second heading of a name":  {"# That\n# That\n[that](#that-1)", ""},
		"a dead anchor":                 {"[that](operations.md#nothing)", "no such heading"},
		"a dead anchor here":            {"# That\n[that](#this)", "no such heading"},
		"an anchor that is in a block":  {"```sh\n# That\n```\n[that](#that)", "no such heading"},
		"a line of a file":              {"[that](../session/key.go#L3)", "lines move"},
		"a reference":                   {"[that][x]\n\n[x]: operations.md", ""},
		"a reference of one word":       {"see [x]\n\n[x]: operations.md", ""},
		"a reference to nothing":        {"[that][x]", "nothing defines"},
		"a reference to a dead link":    {"[x][]\n\n[x]: nowhere.md", "no such file"},
		"a reference in an odd form":    {"see [x]\n\n[x]: nowhere.md 'title'", "of which 0 are read"},
		"a reference over two lines":    {"see [x]\n\n[x]:\nnowhere.md", "of which 0 are read"},
		"a reference in a quote":        {"> see [x]\n>\n> [x]: nowhere.md", "of which 0 are read"},
		"a reference that is not used":  {"[x]: operations.md", "nothing uses"},
		"a test":                        {"[TestLogin](../cmd/example/login_test.go)", ""},
		"a test in another file":        {"[TestLogin](../cmd/example/routes_test.go)", "has no TestLogin"},
		"a test in a page":              {"[TestLogin](operations.md)", "tests are in Go files"},
		"a test by reference":           {"[TestLogin][x]\n\n[x]: ../cmd/example/routes_test.go", "has no TestLogin"},
		"a subtest":                     {"[TestMatches/a known name](../cmd/example/readme_test.go)", ""},
		"a subtest that is none":        {"[TestMatches/an odd name](../cmd/example/readme_test.go)", "no subtest"},
		"a title that is a subtest's":   {`[that](../cmd/example/readme_test.go "more text")`, ""},
		"a title that is a test's":      {`[that](../cmd/example/readme_test.go "TestMatches")`, ""},
		"a title that is nobody's":      {`[that](../cmd/example/readme_test.go "less text")`, "no test called"},
		"a method":                      {"[`Key.Update`](../session/key.go)", ""},
		"a method that is elsewhere":    {"[`Key.Update`](../session/id.go)", "does not declare Update"},
		"a page elsewhere":              {"[that](https://pkg.go.dev/net/http#CrossOriginProtection)", ""},
		"a page elsewhere, http":        {"[that](http://pkg.go.dev/net/http)", "not https"},
		"a page on a host not known":    {"[that](https://example.com/)", "hosts"},
		"a page without a text":         {"see https://example.com/.", "hosts"},
		"a server of the reader's":      {"on http://127.0.0.1:9000", ""},
		"an RFC":                        {"[that](https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2)", ""},
		"an RFC in another form":        {"[that](https://www.rfc-editor.org/info/rfc9110)", "RFCs are linked to"},
		"the draft of one":              {"[that](https://datatracker.ietf.org/doc/draft-ietf-httpbis-rfc6265bis/)", ""},
		"too long a page":               {strings.Repeat("line\n", 401), "at most 400"},
		"no language":                   {"```\ntext\n```", `how to check ""`},
		"no end":                        {"```go\ntype Key[T any] string\n", "not closed"},
		"no end of a quotation":         {"> ```go\ntype Key[T any] string\n> ```\n", "not closed"},
		"an indented block":             {"so:\n\n    text\n", "indented code"},
		"an indented block at once":     {"# So\n    text\n", "indented code"},
		"an indented block in a list":   {"- so:\n\n      text\n", "indented code"},
		"an indented block as an item":  {"-     text\n", "code in an item"},
		"an indented block in a quote":  {">     text\n", "code in an item"},
		"a block indented by a tab":     {"so:\n\n\ttext\n", "a tab"},
		"a list in a list":              {"- so\n  on,\n  - and\n    so\n    on\n\n  and on\n", ""},
		"a block of HTML":               {"<pre>\nmake coffee\n</pre>", "code in HTML"},
		"a block in an item":            {"- ```sh\n  make coffee\n  ```\n", "a fence"},
		"a block in a quote":            {"> ```sh\n> make run\n>\n> make help\n> ```\n", ""},
		"a mistake in a quote":          {"> ```sh\n> make coffee\n> ```\n", "no target coffee"},
		"an unknown language":           {"```rust\nfn main() {}\n```", `how to check "rust"`},
		"text that is not listed":       {"```text\nfree\n```", "unchecked"},
		"a quotation":                   {"```go\ntype Key[T any] string\n```", ""},
		"a quotation, less indented":    {"```go\nvalues map[string]string // GOOD\n```", "complete program"},
		"a quotation of these tests":    {"```go\nfunc TestMistakes(t *testing.T) {\n```", "complete program"},
		"a quotation with a change":     {"```go\ntype Key[T any] []byte\n```", "complete program"},
		"a part of a line":              {"```go\ntype Key[T any]\n```", "complete program"},
		"an empty block":                {"```go\n\n```", "complete program"},
		"a program":                     {"```go\npackage main\n\nimport \"github.com/google/uuid\"\n\nfunc main() { println(uuid.NewString()) }\n```", ""},
		"a program with a mistake":      {"```go\npackage main\n\nfunc main() { println(nobody) }\n```", "undefined: nobody"},
		"a test with a mistake":         {"```go\npackage x\n\nimport \"testing\"\n\nfunc TestX(t *testing.T) { t.Nothing() }\n```", "t.Nothing undefined"},
		"a program of a nested module":  {"```go\npackage main\n\nimport \"github.com/alexedwards/scs/v2\"\n\nfunc main() { scs.New() }\n```", ""},
		"a program that lacks a module": {"```go\npackage main\n\nimport _ \"example.com/x\"\n\nfunc main() {}\n```", "no module has all"},
		"a script that is run":          {"```sh\necho \"2026-b:$(openssl rand -base64 32)\"\n```", ""},
		"a script that is not run":      {"```sh\necho \"2026-c:$(openssl rand -base64 32)\"\n```", "scripts that a test runs"},
		"JavaScript that is not run":    {"```js\nlet nobody = 1\n```", "no .js or .mjs file"},
		"SQL that is nowhere":           {"```sql\nDROP TABLE sessions\n```", "no .sql or .go file"},
		"a session that nobody types":   {"```console\n$ curl -s http://127.0.0.1:9000\n```", "types this session"},
		"an unknown command":            {"```sh\nrm -rf x\n```", "how to check rm"},
		"make":                          {"```sh\nmake run ARGS='-idle 10m' # comment\n```", ""},
		"make, inline":                  {"`make fuzz FUZZTIME=1m`", ""},
		"make, no target":               {"`make coffee`", "no target coffee"},
		"make, no variable":             {"`make lint BENCH=x`", "use no BENCH"},
		"make, no flag":                 {"`make run ARGS='-idel 10m'`", "no program here has -idel"},
		"make, a test":                  {"`make drill TESTFLAGS='-run TestDrills/M10'`", ""},
		"make, no test":                 {"`make test TESTFLAGS='-run TestNobody'`", "nothing is named so"},
		"make, no benchmark":            {"`make microbench BENCH=Nobody`", "nothing is named so"},
		"make, over two lines":          {"`make\ncoffee`", "no target coffee"},
		"make, in a folder":             {"```sh\ncd docs\nmake test\n```", "no Makefile in docs"},
		"cd, no folder":                 {"```sh\ncd nowhere\n```", "no such folder"},
		"go doc":                        {"`go doc github.com/coatcheck/coatcheck/session.Config`", ""},
		"go doc, a field":               {"`go doc session.Config.Lifetime`", ""},
		"go doc, nothing":               {"`go doc session.Nobody`", "no symbol"},
		"go get":                        {"`go get github.com/coatcheck/coatcheck/session/memcached@latest`", ""},
		"go get, nothing":               {"`go get github.com/coatcheck/coatcheck/session/redis`", "no package"},
		"go get, another module":        {"`go get example.com/nobody`", "no module here"},
		"go test":                       {"`go test -race -run 'TestKey|TestLogin/x' -count 10 ./session/...`", ""},
		"go test, no package":           {"`go test ./nowhere`", "no package"},
		"go test, no test":              {"`go test -run=TestNobody ./session`", "nothing is named so"},
		"go test, a test elsewhere":     {"`go test -run=TestMutants ./session`", "nothing is named so"},
		"go test, an unknown flag":      {"`go test -runs=TestLogin ./session`", "nobody knows -runs"},
		"go test, with a setting":       {"`COATCHECK_ONLINE=1 go test ./nowhere`", "no package"},
		"go run, in a folder":           {"```sh\ncd cmd/example\ngo run . -idle 10m\n```", ""},
		"go run, no flag":               {"`go run ./cmd/example -idel 10m`", "no program here has -idel"},
		"go tool, not here":             {"`go tool benchstat x`", "not a tool"},
		"docker compose":                {"`docker compose up -d memcached`", ""},
		"docker compose, no service":    {"`docker compose up redis`", "no service redis"},
		"a part of a script":            {"`openssl rand -base64 32`", ""},
		"what no script has":            {"`openssl rand -base64 33`", "no script has it"},
		"what no script installs":       {"`pip install x`", "no script has it"},
		"what no session asks":          {"`http -v GET :9000`", "no script has it"},
		"a script of ours":              {"`.ci/fuzz 20s` and `./session/...`", ""},
		"a script that is not there":    {"`.ci/nothing now`", ".ci/nothing"},
		"a script that is not here":     {"`./nothing.sh`", "nothing.sh"},
		"code that is no command":       {"`go.mod`, `make` and `makes it so`", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found(t, r.check(parsePage("docs/x.md", tt.text)), tt.want)
		})
	}
}

func TestPageMistakes(t *testing.T) {
	t.Parallel()
	r, lines := openRepo(t), strings.Repeat("line\n", 251)
	for name, tt := range map[string]struct{ page, text, want string }{
		"a long README":               {"README.md", lines, "at most 250"},
		"a long page":                 {"docs/x.md", lines, ""},
		"a changelog":                 {"CHANGELOG.md", strings.Repeat(lines, 2), ""},
		"fewer blocks than unchecked": {"docs/benchmarks.md", "none\n", "checks 0 blocks in text, of which unchecked lists 1"},
		"a session that a test types": {"README.md", "```console\n$ ls\n```", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found(t, r.check(parsePage(tt.page, tt.text)), tt.want)
		})
	}
	t.Run("a test of sessions", func(t *testing.T) {
		t.Parallel()
		const file = "cmd/example/readme_test.go"
		for _, where := range [][3]string{{"no_test.go", "TestReadme", "README.md"}, {file, "TestRead", "README.md"}, {file, "TestReadme", "docs/x.md"}} {
			if r.checkReads(where[0], where[1], where[2]) == nil {
				t.Errorf("%q is fine", where)
			}
		}
	})
	t.Run("a page that is gone", func(t *testing.T) {
		t.Parallel()
		pages := maps.Clone(r.pages)
		delete(pages, "README.md")
		delete(pages, "docs/stores.md")
		if got := (&repo{pages: pages}).gone(); !slices.Contains(got, "README.md") || !slices.Contains(got, "docs/stores.md") {
			t.Errorf("gone: %q", got)
		}
	})
	t.Run("a page that the README leaves out", func(t *testing.T) {
		t.Parallel()
		readme := parsePage("README.md", "[a](docs/a.md)\n\n## Where next\n\n[b](docs/b.md)\n\n## Else\n\n[c](docs/c.md)\n")
		pages := map[string]*page{"SECURITY.md": nil, "docs/a.md": nil, "docs/b.md": nil, "docs/c.md": nil}
		if got := slices.Sorted(slices.Values((&repo{pages: pages}).unlisted(readme))); !slices.Equal(got, []string{"docs/a.md", "docs/c.md"}) {
			t.Errorf("left out: %q", got)
		}
	})
}

// found wants the one mistake, or none.
func found(t *testing.T, wrong []error, want string) {
	t.Helper()
	err := errors.Join(wrong...)
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("found %v, want %q", err, want)
	}
}

func TestMemcachedFlags(t *testing.T) {
	t.Parallel()
	help := "-X, --disable-dumping     disable cachedump\n-m, --memory-limit=<num>  item memory\n"
	for command, ok := range map[string]bool{
		"-X -m 64":               true,
		"--memory-limit=64":      true,
		"-m 64 --disable-dumped": false,
		"-q":                     false,
	} {
		if err := memcachedFlags(help, strings.Fields(command)); (err == nil) != ok {
			t.Errorf("memcached %s: %v", command, err)
		}
	}
}
