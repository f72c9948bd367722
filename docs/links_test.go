package docs_test

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// hosts are those that pages may send their readers to: projects, standards
// and manuals themselves rather than what somebody wrote about them.
var hosts = []string{
	"github.com",
	"pkg.go.dev",
	"go.dev",
	"www.rfc-editor.org",
	"datatracker.ietf.org",
	"www.cve.org",
	"pages.nist.gov",
	"cheatsheetseries.owasp.org",
	"owasp.org",
	"docs.memcached.org",
	"redis.io",
	"etcd.io",
	"docs.aws.amazon.com",
	"mongodb.com",
	"dev.mysql.com",
	"www.postgresql.org",
	"www.sqlite.org",
	"keepachangelog.com",
	"semver.org",
	"prometheus.io",
	"developer.mozilla.org",
}

var (
	textEnd       = regexp.MustCompile(`\][(\[]`)
	inlineLink    = regexp.MustCompile(`^\]\(\s*<?([^)\s>]+)>?(?:\s+"([^"]*)")?\s*\)`)
	fullReference = regexp.MustCompile(`^\]\[([^\]]*)\]`)
	shortcut      = regexp.MustCompile(`\[([^\[\]]+)\]`)
	defining      = regexp.MustCompile(`(?m)^[ >]*\[[^\]]+\]:`)
	definition    = regexp.MustCompile(`(?m)^ {0,3}\[([^\]]+)\]:[ ]*<?([^\s>]+)>?(?:[ ]+"([^"]*)")?[ ]*$`)
	htmlLink      = regexp.MustCompile(`(?i)\b(?:href|src|srcset)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))`)
	bareLink      = regexp.MustCompile(`(?:https?://|www\.)[^\s<>()"'\]]+`)
)

// links returns all links of a page, and what is wrong with its references.
func (p *page) links() (links []link, wrong []error) {
	defined, used := p.definitions(), map[string]bool{}
	refer := func(at int, text, label string) {
		to, ok := defined[foldLabel(label)]
		if !ok {
			wrong = append(wrong, fmt.Errorf("line %d: nothing defines [%s]", p.lineOf(at), label))
			return
		}
		used[foldLabel(label)] = true
		links = append(links, link{p.lineOf(at), text, to.dest, to.title})
	}
	for _, end := range textEnd.FindAllStringIndex(p.plain, -1) {
		at, text := end[0], p.textBefore(end[0])
		if m := inlineLink.FindStringSubmatch(p.plain[at:]); m != nil {
			links = append(links, link{p.lineOf(at), text, m[1], m[2]})
		} else if m := fullReference.FindStringSubmatch(p.prose[at:]); m != nil {
			refer(at, text, cmp.Or(m[1], text))
		} else {
			wrong = append(wrong, fmt.Errorf("line %d: a link [%s] in a form that is not read here", p.lineOf(at), text))
		}
	}
	for _, m := range shortcut.FindAllStringSubmatchIndex(p.plain, -1) {
		text := p.part(m, 2)
		if _, ok := defined[foldLabel(text)]; ok && !strings.ContainsAny(p.plain[m[1]:min(m[1]+1, len(p.plain))], ":([") {
			refer(m[0], text, text)
		}
	}
	for label, to := range defined {
		if !used[label] {
			wrong = append(wrong, fmt.Errorf("line %d: nothing uses [%s]", to.line, label))
		}
	}
	if n := len(defining.FindAllString(p.plain, -1)); n != len(defined) {
		wrong = append(wrong, fmt.Errorf("%d references are defined, of which %d are read here", n, len(defined)))
	}
	return append(links, p.otherLinks(links)...), wrong
}

// definitions returns what references lead to, by their labels.
func (p *page) definitions() map[string]link {
	defined := map[string]link{}
	for _, m := range definition.FindAllStringSubmatchIndex(p.plain, -1) {
		defined[foldLabel(p.part(m, 2))] = link{line: p.lineOf(m[0]), dest: p.part(m, 4), title: p.part(m, 6)}
	}
	return defined
}

// otherLinks returns those of HTML, and bare ones.
func (p *page) otherLinks(known []link) (links []link) {
	for _, m := range htmlLink.FindAllStringSubmatchIndex(p.plain, -1) {
		for place := range strings.SplitSeq(p.part(m, 2)+p.part(m, 4)+p.part(m, 6), ",") {
			if f := strings.Fields(place); len(f) > 0 {
				links = append(links, link{line: p.lineOf(m[0]), dest: f[0]})
			}
		}
	}
	for _, m := range bareLink.FindAllStringIndex(p.plain, -1) {
		dest := strings.TrimRight(p.plain[m[0]:m[1]], ".,;:!?*_|")
		same := func(l link) bool { return strings.HasPrefix(l.dest, dest) }
		if !slices.ContainsFunc(known, same) && !slices.ContainsFunc(links, same) {
			links = append(links, link{line: p.lineOf(m[0]), dest: dest})
		}
	}
	return links
}

// textBefore returns what stands between a closing bracket and the one that
// opens it.
func (p *page) textBefore(end int) string {
	depth := 1
	for i := end - 1; i >= 0; i-- {
		switch p.plain[i] {
		case ']':
			depth++
		case '[':
			if depth--; depth == 0 {
				return strings.Join(strings.Fields(p.prose[i+1:end]), " ")
			}
		}
	}
	return ""
}

func (p *page) part(match []int, i int) string {
	if match[i] < 0 {
		return ""
	}
	return p.prose[match[i]:match[i+1]]
}

func (p *page) lineOf(at int) int { return 1 + strings.Count(p.text[:at], "\n") }

func foldLabel(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// checkLinks says what is wrong with a page's links.
func (r *repo) checkLinks(p *page) []error {
	links, wrong := p.links()
	for _, l := range links {
		check := r.checkPath
		if u, err := url.Parse(l.dest); err != nil || u.Scheme != "" || u.Host != "" {
			check = checkURL
		}
		if err := check(p, l); err != nil {
			wrong = append(wrong, fmt.Errorf("line %d: [%s](%s): %w", l.line, l.text, l.dest, err))
		}
	}
	return wrong
}

// rfcForm is how RFCs are linked to, so that no two pages cite one by two addresses.
var rfcForm = regexp.MustCompile(`^https://www\.rfc-editor\.org/rfc/rfc[1-9]\d*(#(section|appendix)-[A-Z0-9.]+)?$`)

func checkURL(_ *page, l link) error {
	u, err := url.Parse(l.dest)
	switch {
	case err != nil:
		return err
	case u.Scheme == "http" && (u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost"):
		return nil // what the reader starts
	case u.Scheme != "https":
		return errors.New("not https")
	case u.User != nil || u.Port() != "":
		return errors.New("a user or a port")
	case !slices.Contains(hosts, u.Host):
		return errors.New("this host is not on the list of those that we cite, hosts")
	case regexp.MustCompile(`(?i)\brfc-?\d+(\W|$)`).MatchString(u.Path) && !rfcForm.MatchString(l.dest):
		return errors.New("RFCs are linked to as https://www.rfc-editor.org/rfc/rfc9110#section-15")
	case os.Getenv("COATCHECK_ONLINE") != "":
		return askURL(l.dest)
	}
	return nil
}

func askURL(address string) error {
	client := http.Client{Timeout: 20 * time.Second}
	resp, err := client.Get(address)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		return errors.New(resp.Status)
	}
	return nil
}

// checkPath judges a link to a file of the repository.
func (r *repo) checkPath(p *page, l link) error {
	dest, anchor, anchored := strings.Cut(l.dest, "#")
	name := p.name
	if dest != "" {
		name = path.Join(path.Dir(p.name), dest)
	}
	if strings.HasPrefix(dest, "/") || !filepath.IsLocal(name) {
		return errors.New("not a path within the repository")
	}
	target := p
	if name != p.name {
		if _, err := os.Stat(filepath.Join(r.root, name)); err != nil {
			return errors.New("there is no such file")
		}
		target = r.pages[name]
	}
	switch {
	case anchored && target == nil:
		return errors.New("an anchor, but not of a page: lines move")
	case anchored && !slices.Contains(target.slugs(), anchor):
		return fmt.Errorf("%s has no such heading", name)
	case strings.HasSuffix(name, ".go"):
		return r.checkGoLink(name, l)
	case testName.MatchString(l.text):
		return errors.New("tests are in Go files")
	}
	return nil
}

var (
	testName = regexp.MustCompile("^`?((?:Test|Fuzz|Benchmark|Example)[A-Z_]\\w*)(?:/([^`]+))?")
	codeName = regexp.MustCompile("^`[*]?([A-Za-z_]\\w*\\.)*([A-Za-z_]\\w*)(?:\\(\\))?`$")
)

// checkGoLink judges what a link says of a Go file. A text that begins with a
// test's name, or is an identifier as code, names what is declared there. What
// follows a test's name after a slash begins some string there, as a subtest's
// name does; a title is one, or a test's name.
func (r *repo) checkGoLink(name string, l link) error {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(r.root, name), nil, 0)
	if err != nil {
		return err
	}
	names, texts := declared(file)
	if m := testName.FindStringSubmatch(l.text); m != nil {
		begins := func(s string) bool { return strings.HasPrefix(s, strings.ReplaceAll(m[2], "_", " ")) }
		if !slices.Contains(names, m[1]) {
			return fmt.Errorf("%s has no %s", name, m[1])
		}
		if !slices.ContainsFunc(texts, begins) {
			return fmt.Errorf("%s has no subtest %q", name, m[2])
		}
	}
	if m := codeName.FindStringSubmatch(l.text); m != nil && !slices.Contains(names, m[2]) {
		return fmt.Errorf("%s does not declare %s", name, m[2])
	}
	if l.title != "" && !slices.Contains(texts, l.title) && !slices.Contains(names, l.title) {
		return fmt.Errorf("%s has no test called %q", name, l.title)
	}
	return nil
}

// declared returns what a file declares, and its strings.
func declared(file *ast.File) (names, texts []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			names = append(names, n.Name.Name)
		case *ast.TypeSpec:
			names = append(names, n.Name.Name)
		case *ast.ValueSpec:
			for _, id := range n.Names {
				names = append(names, id.Name)
			}
		case *ast.Field:
			for _, id := range n.Names {
				names = append(names, id.Name)
			}
		case *ast.BasicLit:
			if n.Kind == token.STRING {
				texts = append(texts, strings.Trim(n.Value, "\"`"))
			}
		}
		return true
	})
	return names, texts
}

// TestWhereNext checks that the README leads to every page.
func TestWhereNext(t *testing.T) {
	t.Parallel()
	r := openRepo(t)
	for _, name := range r.unlisted(r.pages["README.md"]) {
		t.Errorf("README.md, Where next, has no link to %s", name)
	}
}

// unlisted returns the pages of docs that a README doesn't lead to.
func (r *repo) unlisted(readme *page) (names []string) {
	section := readme.section("Where next")
	for name := range r.pages {
		if strings.HasPrefix(name, "docs/") && !strings.Contains(section, "]("+name+")") {
			names = append(names, name)
		}
	}
	return names
}
