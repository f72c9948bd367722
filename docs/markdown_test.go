package docs_test

import (
	"regexp"
	"slices"
	"strings"
)

// A docPage is a Markdown file. What is not prose is masked in it by spaces or
// by x, byte for byte, so that places in both texts are the same.
type docPage struct {
	name   string // its path in the repository, with slashes
	text   string
	prose  string // without blocks of code and comments
	plain  string // and with every span of code masked
	blocks []docBlock
	spans  []string // of code, white space made single spaces
}

// A docBlock is a block of code; one that is indented instead of fenced has no
// language.
type docBlock struct {
	line           int
	language, code string
}

// A docLink is a link or an image. Those of HTML have no text.
type docLink struct {
	line              int
	text, dest, title string
}

var (
	docComment = regexp.MustCompile(`(?s)<!--.*?-->`)
	docFence   = regexp.MustCompile("^( *)(```+|~~~+) *([^`]*)$")
	docList    = regexp.MustCompile(`^ {0,3}([-*+]|\d+[.)]) `)
	docHeading = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *#*$`)
	docSpan    = regexp.MustCompile("(?s)(?:``(.+?)``|`([^`]+)`)")
)

func parseDocPage(name, text string) *docPage {
	p := &docPage{name: name, text: text}
	p.findBlocks()
	p.prose = docComment.ReplaceAllStringFunc(p.prose, func(s string) string { return docMask(s, ' ') })
	p.plain = docSpan.ReplaceAllStringFunc(p.prose, func(s string) string { return docMask(s, 'x') })
	for _, m := range docSpan.FindAllStringSubmatch(p.prose, -1) {
		p.spans = append(p.spans, strings.Join(strings.Fields(m[1]+m[2]), " "))
	}
	return p
}

func docMask(s string, with byte) string {
	masked := []byte(s)
	for i, b := range masked {
		if b != '\n' {
			masked[i] = with
		}
	}
	return string(masked)
}

// findBlocks takes blocks of code out of the prose.
func (p *docPage) findBlocks() {
	lines := strings.SplitAfter(p.text, "\n")
	inList := false
	for i := 0; i < len(lines); i++ {
		line := strings.TrimRight(lines[i], "\n")
		end := i
		switch {
		case docFence.MatchString(line):
			end = p.fenced(lines, i)
		case !inList && i > 0 && strings.TrimSpace(lines[i-1]) == "" && strings.HasPrefix(line, "    ") && strings.TrimSpace(line) != "":
			end = p.indented(lines, i)
		case docList.MatchString(line):
			inList = true
		case line != "" && line[0] != ' ' && line[0] != '\t':
			inList = false
		}
		if len(p.blocks) > 0 && p.blocks[len(p.blocks)-1].line == i+1 {
			p.prose += docMask(strings.Join(lines[i:end+1], ""), ' ')
			i = end
			continue
		}
		p.prose += lines[i]
	}
}

// fenced returns the line that closes the block, or the last one.
func (p *docPage) fenced(lines []string, start int) (end int) {
	open := docFence.FindStringSubmatch(strings.TrimRight(lines[start], "\n"))
	var code strings.Builder
	for end = start + 1; end < len(lines) && strings.TrimSpace(lines[end]) != open[2]; end++ {
		code.WriteString(strings.TrimPrefix(lines[end], open[1]))
	}
	p.blocks = append(p.blocks, docBlock{start + 1, strings.TrimSpace(open[3]), code.String()})
	return min(end, len(lines)-1)
}

func (p *docPage) indented(lines []string, start int) (end int) {
	for end = start; end < len(lines) && strings.HasPrefix(lines[end], "    "); end++ {
	}
	p.blocks = append(p.blocks, docBlock{line: start + 1, code: strings.Join(lines[start:end], "")})
	return end - 1
}

// slugs returns the anchors of a page's headings, as GitHub makes them.
func (p *docPage) slugs() (slugs []string) {
	for _, m := range docHeading.FindAllStringSubmatch(p.prose, -1) {
		base := docSlug(m[1])
		slug := base
		for n := 1; slices.Contains(slugs, slug); n++ {
			slug = base + "-" + string(rune('0'+n))
		}
		slugs = append(slugs, slug)
	}
	return slugs
}

var (
	docLinkText = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
	docNotSlug  = regexp.MustCompile(`[^\p{L}\p{N}\p{M} _-]`)
)

func docSlug(heading string) string {
	text := docNotSlug.ReplaceAllString(strings.ToLower(docLinkText.ReplaceAllString(heading, "$1")), "")
	return strings.ReplaceAll(text, " ", "-")
}

// section returns the prose below a heading of the second level.
func (p *docPage) section(heading string) string {
	_, after, _ := strings.Cut(p.prose, "\n## "+heading+"\n")
	text, _, _ := strings.Cut(after, "\n## ")
	return text
}
