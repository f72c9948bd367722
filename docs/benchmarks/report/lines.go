package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Sizes returns a chart of how the time of a read grows with the session.
func (res *Results) Sizes() string {
	return res.growth("size", "bytes", "Time of reading one value, by the bytes of the session", size)
}

// Keys returns a chart of how it grows with the number of values.
func (res *Results) Keys() string {
	return res.growth("keys", "keys", "Time of reading one value, by how many share 20 KB", func(keys string) string { return keys + " values" })
}

// A plot has logarithmic axes, as what is plotted grows by factors.
type plot struct {
	minX, maxX, minY, maxY float64
}

const (
	plotLeft, plotRight   = 70.0, 560.0
	plotTop, plotBottom   = 50.0, 350.0
	plotWidth, plotHeight = 760, 390
)

type curve struct {
	library string
	points  [][2]float64 // of the parameter and seconds
}

func (res *Results) growth(work, parameter, title string, label func(string) string) string {
	curves := res.curves(work, parameter)
	p := bounds(curves)
	return draw(work, plotWidth, plotHeight, title, describedCurves(curves, parameter), func(c *canvas) {
		if len(curves) > 0 {
			p.axes(c, curves, label)
			p.paint(c, curves)
		}
	})
}

func (res *Results) curves(work, parameter string) []curve {
	var curves []curve
	for _, name := range res.names {
		s := res.series[name]
		if s.parts["work"] != work {
			continue
		}
		i := slices.IndexFunc(curves, func(c curve) bool { return c.library == s.library() })
		if i < 0 {
			i = len(curves)
			curves = append(curves, curve{library: s.library()})
		}
		x, _ := strconv.ParseFloat(s.parts[parameter], 64)
		curves[i].points = append(curves[i].points, [2]float64{x, summarize(s.main()).median})
	}
	return curves
}

func bounds(curves []curve) plot {
	p := plot{math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)}
	for _, c := range curves {
		for _, point := range c.points {
			p.minX, p.maxX = min(p.minX, point[0]), max(p.maxX, point[0])
			p.minY, p.maxY = min(p.minY, point[1]), max(p.maxY, point[1])
		}
	}
	p.minY, p.maxY = p.minY/1.2, p.maxY*1.2
	return p
}

func (p plot) x(v float64) float64 {
	return plotLeft + (plotRight-plotLeft)*math.Log(v/p.minX)/math.Log(p.maxX/p.minX)
}

func (p plot) y(v float64) float64 {
	return plotBottom - (plotBottom-plotTop)*math.Log(v/p.minY)/math.Log(p.maxY/p.minY)
}

func (p plot) axes(c *canvas, curves []curve, label func(string) string) {
	for exponent := -6.0; exponent < 1; exponent++ {
		for _, step := range []float64{1, 2, 5} {
			if v := step * math.Pow(10, exponent); p.minY <= v && v <= p.maxY {
				c.line(plotLeft, p.y(v), plotRight, p.y(v), "grid")
				c.text(plotLeft-8, p.y(v)+4, "end", fmt.Sprintf("%.0f µs", v*1e6))
			}
		}
	}
	for _, point := range curves[0].points {
		c.text(p.x(point[0]), plotBottom+20, "middle", label(strconv.Itoa(int(point[0]))))
	}
}

// paint names each curve at its end, the names far enough apart to be read.
func (p plot) paint(c *canvas, curves []curve) {
	last := func(c curve) float64 { return c.points[len(c.points)-1][1] }
	sorted := slices.SortedFunc(slices.Values(curves), func(a, b curve) int { return cmp.Compare(last(b), last(a)) })
	place := plotTop
	for _, curve := range sorted {
		var points [][2]float64
		for _, point := range curve.points {
			points = append(points, [2]float64{p.x(point[0]), p.y(point[1])})
		}
		c.curve(points, curve.library)
		place = max(place, p.y(last(curve)))
		c.bar(plotRight+14, place-4, 10, 10, curve.library)
		c.text(plotRight+30, place+5, "", curve.library+" "+microseconds(last(curve)))
		place += 18
	}
}

func describedCurves(curves []curve, parameter string) string {
	var b strings.Builder
	for _, c := range curves {
		b.WriteString(c.library + ":")
		for i, p := range c.points {
			if i > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(&b, " %s at %.0f %s", microseconds(p[1]), p[0], parameter)
		}
		b.WriteString(". ")
	}
	return strings.TrimSpace(b.String())
}
