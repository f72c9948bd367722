package docs_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A page is a Markdown file. What is not prose is masked in it by spaces or
// by x, byte for byte, so that places in both texts are the same.
type page struct {
	name    string // its path in the repository, with slashes
	text    string
	prose   string // without blocks of code and comments
	plain   string // and with every span of code masked
	blocks  []block
	spans   []string // of code, white space made single spaces
	unknown []error  // forms of Markdown that these tests don't read
}

// A block is a fenced block of code.
type block struct {
	line           int
	language, code string
}

// A link is a link or an image. Those of HTML have no text.
type link struct {
	line              int
	text, dest, title string
}

var (
	htmlComment = regexp.MustCompile(`(?s)<!--.*?-->`)
	fence       = regexp.MustCompile("^([ >]*)(```+|~~~+) *([^`]*)$")
	headingLine = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *#*$`)
	codeSpan    = regexp.MustCompile("(?s)(?:``(.+?)``|`([^`]+)`)")
)

// refused are forms that are code for GitHub, and that nothing here would check.
// Pages do without them.
var refused = map[string]*regexp.Regexp{
	"a tab":             regexp.MustCompile(`\t`),
	"a fence in a line": regexp.MustCompile("```|~~~"),
	"code in HTML":      regexp.MustCompile(`(?i)<(?:pre|code)\b`),
	"code in an item":   regexp.MustCompile(`(?m)^(?: *(?:>|[-*+]|\d+[.)]))+ {5}`),
}

// What is indented by four is taken for code, but for a list's item that goes on.
var (
	indented  = regexp.MustCompile(`^ {4,}\S`)
	continues = regexp.MustCompile(`^(?: {4,}\S| *(?:[-*+]|\d+[.)]) )`)
)

func parsePage(name, text string) *page {
	p := &page{name: name, text: text}
	p.findBlocks()
	p.prose = htmlComment.ReplaceAllStringFunc(p.prose, func(s string) string { return mask(s, ' ') })
	p.plain = codeSpan.ReplaceAllStringFunc(p.prose, func(s string) string { return mask(s, 'x') })
	for _, m := range codeSpan.FindAllStringSubmatch(p.prose, -1) {
		p.spans = append(p.spans, strings.Join(strings.Fields(m[1]+m[2]), " "))
	}
	for what, form := range refused {
		for _, m := range form.FindAllStringIndex(p.plain, -1) {
			p.unknown = append(p.unknown, fmt.Errorf("line %d: %s is not read here", p.lineOf(m[0]), what))
		}
	}
	return p
}

func mask(s string, with byte) string {
	masked := []byte(s)
	for i, b := range masked {
		if b != '\n' {
			masked[i] = with
		}
	}
	return string(masked)
}

// findBlocks takes blocks of code out of the prose.
func (p *page) findBlocks() {
	lines := strings.SplitAfter(p.text, "\n")
	for i := 0; i < len(lines); i++ {
		if fence.MatchString(strings.TrimRight(lines[i], "\n")) {
			end := p.fenced(lines, i)
			p.prose += mask(strings.Join(lines[i:end], ""), ' ')
			i = end - 1
			continue
		}
		if indented.MatchString(lines[i]) && (i == 0 || !continues.MatchString(lines[i-1])) {
			p.unknown = append(p.unknown, fmt.Errorf("line %d: indented code is not read here, fence it", i+1))
		}
		p.prose += lines[i]
	}
}

// fenced adds a block, which may be quoted, and returns the line after it.
func (p *page) fenced(lines []string, start int) (end int) {
	open := fence.FindStringSubmatch(strings.TrimRight(lines[start], "\n"))
	quote := strings.TrimRight(open[1], " ")
	var code strings.Builder
	for end = start + 1; end < len(lines) && strings.HasPrefix(lines[end], quote); end++ {
		line := lines[end][len(quote):]
		if strings.TrimSpace(line) == open[2] {
			p.blocks = append(p.blocks, block{start + 1, strings.TrimSpace(open[3]), code.String()})
			return end + 1
		}
		code.WriteString(strings.TrimPrefix(line, open[1][len(quote):]))
	}
	p.unknown = append(p.unknown, fmt.Errorf("line %d: the block is not closed", start+1))
	return end
}

// slugs returns the anchors of a page's headings, as GitHub makes them.
func (p *page) slugs() (slugs []string) {
	for _, m := range headingLine.FindAllStringSubmatch(p.prose, -1) {
		base := slugOf(m[1])
		slug := base
		for n := 1; slices.Contains(slugs, slug); n++ {
			slug = base + "-" + string(rune('0'+n))
		}
		slugs = append(slugs, slug)
	}
	return slugs
}

var (
	linkText  = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
	notInSlug = regexp.MustCompile(`[^\p{L}\p{N}\p{M} _-]`)
)

func slugOf(heading string) string {
	text := notInSlug.ReplaceAllString(strings.ToLower(linkText.ReplaceAllString(heading, "$1")), "")
	return strings.ReplaceAll(text, " ", "-")
}

// section returns the prose below a heading of the second level.
func (p *page) section(heading string) string {
	_, after, _ := strings.Cut(p.prose, "\n## "+heading+"\n")
	text, _, _ := strings.Cut(after, "\n## ")
	return text
}
