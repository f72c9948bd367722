package report

import (
	"fmt"
	"html"
	"strings"
)

// style has a background of its own in both modes: a page may be dark where the
// system is light.
const style = `
rect.page{fill:#fff}text{font:12px system-ui,sans-serif;fill:#1f2328}text.heading{font-weight:600}text.end{text-anchor:end}text.middle{text-anchor:middle}
text.number{stroke:#fff;stroke-width:4;paint-order:stroke}
.coatcheck{fill:#0969da;stroke:#0969da}.coatcheck-sealed,.coatcheck-refreshing{fill:#54aeff;stroke:#54aeff}.scs,.scs-idle{fill:#bc4c00;stroke:#bc4c00}
.gorilla{fill:#8250df;stroke:#8250df}.jwtauth{fill:#116329;stroke:#116329}.gomemcache{fill:#6e7781;stroke:#6e7781}
line.grid{stroke:#d0d7de}line.one{stroke:#1f2328;stroke-dasharray:3 3}polyline.line{fill:none;stroke-width:2}
@media (prefers-color-scheme:dark){rect.page{fill:#0d1117}text{fill:#e6edf3}text.number{stroke:#0d1117}
.coatcheck{fill:#58a6ff;stroke:#58a6ff}.coatcheck-sealed,.coatcheck-refreshing{fill:#1f6feb;stroke:#1f6feb}.scs,.scs-idle{fill:#f0883e;stroke:#f0883e}
.gorilla{fill:#bc8cff;stroke:#bc8cff}.jwtauth{fill:#56d364;stroke:#56d364}.gomemcache{fill:#8b949e;stroke:#8b949e}
line.grid{stroke:#30363d}line.one{stroke:#e6edf3}}
`

// A canvas is an SVG under construction.
type canvas struct{ b strings.Builder }

// draw returns a picture with a title and a description for those who can't see it.
func draw(id string, width, height int, title, description string, paint func(*canvas)) string {
	var c canvas
	fmt.Fprintf(&c.b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="%s-title %s-desc">`+"\n",
		width, height, width, height, id, id)
	fmt.Fprintf(&c.b, "<title id=\"%s-title\">%s</title>\n<desc id=\"%s-desc\">%s</desc>\n", id, html.EscapeString(title), id, html.EscapeString(description))
	fmt.Fprintf(&c.b, "<style>%s</style>\n<rect class=\"page\" width=\"%d\" height=\"%d\"/>\n", style, width, height)
	c.text(16, 24, "heading", title)
	paint(&c)
	c.b.WriteString("</svg>\n")
	return c.b.String()
}

func (c *canvas) text(x, y float64, class, text string) {
	fmt.Fprintf(&c.b, `<text x="%.1f" y="%.1f" class="%s">%s</text>`+"\n", x, y, class, html.EscapeString(text))
}

func (c *canvas) bar(x, y, width, height float64, class string) {
	fmt.Fprintf(&c.b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" class="%s"/>`+"\n", x, y, width, height, class)
}

func (c *canvas) line(x1, y1, x2, y2 float64, class string) {
	fmt.Fprintf(&c.b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="%s"/>`+"\n", x1, y1, x2, y2, class)
}

// curve connects points, and marks each.
func (c *canvas) curve(points [][2]float64, class string) {
	var list []string
	for _, p := range points {
		list = append(list, fmt.Sprintf("%.1f,%.1f", p[0], p[1]))
		fmt.Fprintf(&c.b, `<circle cx="%.1f" cy="%.1f" r="3" class="%s"/>`+"\n", p[0], p[1], class)
	}
	fmt.Fprintf(&c.b, `<polyline points="%s" class="line %s"/>`+"\n", strings.Join(list, " "), class)
}
