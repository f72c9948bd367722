package docs_test

import (
	"regexp"
	"slices"
	"strings"
)

// A page is a Markdown file. What is not prose is masked in it by spaces or
// by x, byte for byte, so that places in both texts are the same.
type page struct {
	name   string // its path in the repository, with slashes
	text   string
	prose  string // without blocks of code and comments
	plain  string // and with every span of code masked
	blocks []block
	spans  []string // of code, white space made single spaces
}

// A block is a block of code; one that is indented instead of fenced has no
// language.
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
	fence       = regexp.MustCompile("^( *)(```+|~~~+) *([^`]*)$")
	listItem    = regexp.MustCompile(`^ {0,3}([-*+]|\d+[.)]) `)
	headingLine = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *#*$`)
	codeSpan    = regexp.MustCompile("(?s)(?:``(.+?)``|`([^`]+)`)")
)

func parsePage(name, text string) *page {
	p := &page{name: name, text: text}
	p.findBlocks()
	p.prose = htmlComment.ReplaceAllStringFunc(p.prose, func(s string) string { return mask(s, ' ') })
	p.plain = codeSpan.ReplaceAllStringFunc(p.prose, func(s string) string { return mask(s, 'x') })
	for _, m := range codeSpan.FindAllStringSubmatch(p.prose, -1) {
		p.spans = append(p.spans, strings.Join(strings.Fields(m[1]+m[2]), " "))
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
	inList := false
	for i := 0; i < len(lines); i++ {
		line := strings.TrimRight(lines[i], "\n")
		end := i
		switch {
		case fence.MatchString(line):
			end = p.fenced(lines, i)
		case !inList && i > 0 && strings.TrimSpace(lines[i-1]) == "" && strings.HasPrefix(line, "    ") && strings.TrimSpace(line) != "":
			end = p.indented(lines, i)
		case listItem.MatchString(line):
			inList = true
		case line != "" && line[0] != ' ' && line[0] != '\t':
			inList = false
		}
		if len(p.blocks) > 0 && p.blocks[len(p.blocks)-1].line == i+1 {
			p.prose += mask(strings.Join(lines[i:end+1], ""), ' ')
			i = end
			continue
		}
		p.prose += lines[i]
	}
}

// fenced returns the line that closes the block, or the last one.
func (p *page) fenced(lines []string, start int) (end int) {
	open := fence.FindStringSubmatch(strings.TrimRight(lines[start], "\n"))
	var code strings.Builder
	for end = start + 1; end < len(lines) && strings.TrimSpace(lines[end]) != open[2]; end++ {
		code.WriteString(strings.TrimPrefix(lines[end], open[1]))
	}
	p.blocks = append(p.blocks, block{start + 1, strings.TrimSpace(open[3]), code.String()})
	return min(end, len(lines)-1)
}

func (p *page) indented(lines []string, start int) (end int) {
	for end = start; end < len(lines) && strings.HasPrefix(lines[end], "    "); end++ {
	}
	p.blocks = append(p.blocks, block{line: start + 1, code: strings.Join(lines[start:end], "")})
	return end - 1
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
