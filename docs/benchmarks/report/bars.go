package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Bars returns a chart of ratios: a bar for each library in each work, but for
// those that have charts of their own.
func (res *Results) Bars() string {
	groups := res.charted()
	height, longest := 56, 1.0
	for _, g := range groups {
		height += barsOf(g)
		for _, b := range g.bars {
			longest = max(longest, b.ratio)
		}
	}
	const title = "Time of a request, and memory of a session, as a ratio; with 64 clients, if nothing else is said"
	return draw("ratios", 760, height, title, described(groups), func(c *canvas) {
		c.text(16, 42, "", "by cookie against scs, by token against jwtauth, anonymous against an empty request, sliding expiry against none")
		scale := (760 - barLeft - 190) / longest
		c.line(barLeft+scale, 56, barLeft+scale, float64(height)-10, "one") // below the numbers
		y := 56.0
		for _, g := range groups {
			g.paint(c, y, scale)
			y += float64(barsOf(g))
		}
	})
}

const (
	barLeft   = 190.0
	barHeight = 16
)

type barGroup struct {
	title string
	bars  []bar
}

type bar struct {
	library string
	ratio   float64
	lost    string // what it loses meanwhile, if it was measured
}

// label is what the bar's length says, and what it doesn't.
func (b bar) label() string {
	if b.lost == "" {
		return number(b.ratio)
	}
	return number(b.ratio) + ", " + b.lost
}

func barsOf(g barGroup) int { return 26 + barHeight*len(g.bars) }

func (res *Results) charted() []barGroup {
	var groups []barGroup
	for _, g := range res.groups() {
		chart := barGroup{title: g.title}
		if g.by != "" {
			chart.title += " by " + g.by
		}
		for _, r := range g.rows {
			if ratio, ok := res.against(r.few); ok && r.few.parts["bytes"] == "" {
				chart.bars = append(chart.bars, bar{r.library, ratio.median, r.lost()})
			}
		}
		if len(chart.bars) > 0 {
			slices.SortStableFunc(chart.bars, func(a, b bar) int { return cmp.Compare(a.ratio, b.ratio) })
			groups = append(groups, chart)
		}
	}
	return groups
}

func (g barGroup) paint(c *canvas, y, scale float64) {
	c.text(16, y+16, "heading", g.title)
	y += 22
	for _, b := range g.bars {
		c.text(barLeft-8, y+12, "end", b.library)
		c.bar(barLeft, y+2, b.ratio*scale, barHeight-4, b.library)
		c.text(barLeft+b.ratio*scale+6, y+12, "number", b.label())
		y += barHeight
	}
}

func described(groups []barGroup) string {
	var b strings.Builder
	for _, g := range groups {
		b.WriteString(g.title + ":")
		for i, bar := range g.bars {
			if i > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(&b, " %s %s", bar.library, bar.label())
		}
		b.WriteString(". ")
	}
	return strings.TrimSpace(b.String())
}
