package page

import (
	"math"
)

// Chart is a picture of lines over an axis, with limits drawn across. Each line
// has a dash of its own and is named at its end, so that colour is never alone.
type Chart struct {
	ID, Title, Desc string
	XTitle, YTitle  string
	XMax, YMax      float64
	XTick, YTick    func(float64) string
	Lines           []ChartLine
	Limits          []ChartLimit
	Marks           []ChartMark
}

// ChartLine is a line through points of the chart's own axes.
type ChartLine struct {
	Name   string
	Class  string // line-1 … line-4
	Points []Point
}

// ChartLimit is a horizontal line that should not be crossed.
type ChartLimit struct {
	Name  string
	Value float64
	Class string // limit or limit-soft
}

// ChartMark is a point worth a name.
type ChartMark struct {
	Name string
	At   Point
}

// The chart's frame, in the drawing's own units.
const (
	chartWidth, chartHeight = 720.0, 340.0
	chartLeft, chartRight   = 56.0, 172.0
	chartTop, chartBottom   = 44.0, 48.0
	markRadius              = 4.5
)

// Draw returns the picture.
func (c Chart) Draw() HTML {
	d := NewDrawing(c.ID, c.Title, c.Desc, chartWidth, chartHeight)
	x := func(v float64) float64 { return chartLeft + v/c.XMax*(chartWidth-chartLeft-chartRight) }
	y := func(v float64) float64 {
		return chartHeight - chartBottom - v/c.YMax*(chartHeight-chartTop-chartBottom)
	}
	for _, v := range Ticks(c.YMax, 5) {
		d.Line(chartLeft, y(v), chartWidth-chartRight, y(v), "rule")
		d.Text(chartLeft-8, y(v)+4, "tick-label end", c.YTick(v))
	}
	for _, v := range Ticks(c.XMax, 8) {
		d.Line(x(v), chartHeight-chartBottom, x(v), chartHeight-chartBottom+5, "axis")
		d.Text(x(v), chartHeight-chartBottom+19, "tick-label middle", c.XTick(v))
	}
	d.Line(chartLeft, chartHeight-chartBottom, chartWidth-chartRight, chartHeight-chartBottom, "axis")
	d.Text((chartLeft+chartWidth-chartRight)/2, chartHeight-8, "axis-title middle", c.XTitle)
	d.Text(4, 14, "axis-title start", c.YTitle)
	axes := []box{{0, 0, chartLeft, chartHeight}, {0, chartHeight - chartBottom, chartWidth, chartHeight}}
	placed := &layout{taken: axes}
	at := func(p Point) Point { return Point{x(p.X), y(p.Y)} }
	var labels []label
	for _, line := range c.Lines {
		points := clip(line.Points, c.XMax, c.YMax)
		if len(points) == 0 {
			continue
		}
		drawn := make([]Point, len(points))
		for i, p := range points {
			drawn[i] = at(p)
		}
		d.Polyline(drawn, "line "+line.Class)
		placed.lines = append(placed.lines, drawn)
		labels = append(labels, endLabel(line, drawn[len(drawn)-1]))
	}
	for _, limit := range c.Limits {
		if limit.Value <= c.YMax {
			level := y(limit.Value)
			d.Line(chartLeft, level, chartWidth-chartRight, level, limit.Class)
			placed.lines = append(placed.lines, []Point{{chartLeft, level}, {chartWidth - chartRight, level}})
			labels = append(labels, limitLabel(limit, level))
		}
	}
	for _, mark := range c.Marks {
		if mark.At.X <= c.XMax && mark.At.Y <= c.YMax {
			dot := at(mark.At)
			d.Dot(dot.X, dot.Y, markRadius, "mark")
			placed.taken = append(placed.taken, box{dot.X - markRadius, dot.Y - markRadius, dot.X + markRadius, dot.Y + markRadius})
			labels = append(labels, markLabel(mark, dot))
		}
	}
	for _, l := range labels { // last, so that nothing is drawn over them
		p := placed.place(l)
		d.Text(p.at.X, p.at.Y, l.class+" "+p.anchor, l.words)
	}
	return d.HTML()
}

// endLabel names a line at its end: beside it, else above or below.
func endLabel(line ChartLine, end Point) label {
	l := label{words: line.Name, class: "line-label " + line.Class + "-label"}
	for _, up := range []float64{4, -9, 17, -22, 30, 43, 56, 69} {
		l.places = append(l.places, labelPlace{Point{end.X + 8, math.Max(end.Y+up, chartTop-18)}, "start"})
	}
	return l
}

// limitLabel names a limit above its line, from the left, the right, or between.
func limitLabel(limit ChartLimit, level float64) label {
	l := label{words: limit.Name, class: "limit-label"}
	right := chartWidth - chartRight
	for _, below := range []float64{-5, 13} {
		l.places = append(l.places,
			labelPlace{Point{chartLeft + 8, level + below}, "start"}, labelPlace{Point{right - 8, level + below}, "end"},
			labelPlace{Point{(chartLeft + right) / 2, level + below}, "middle"},
			labelPlace{Point{chartLeft + (right-chartLeft)/4, level + below}, "start"},
			labelPlace{Point{right - (right-chartLeft)/4, level + below}, "end"},
		)
	}
	// Behind its end there is always room, if lines do not end there.
	l.places = append(l.places, labelPlace{Point{right + 8, level + 4}, "start"})
	return l
}

// markLabel names a point beside it.
func markLabel(mark ChartMark, dot Point) label {
	l := label{words: mark.Name, class: "mark-label"}
	for _, far := range []float64{0, 14, 30} {
		for _, down := range []float64{16 + far, -9 - far, 4} {
			l.places = append(l.places,
				labelPlace{Point{dot.X + 9 + far, dot.Y + down}, "start"}, labelPlace{Point{dot.X - 9 - far, dot.Y + down}, "end"})
		}
	}
	return l
}

// clip cuts a line off where it leaves the chart at the top or the right.
func clip(points []Point, xMax, yMax float64) []Point {
	var inside []Point
	for i, p := range points {
		if p.X <= xMax && p.Y <= yMax {
			inside = append(inside, p)
			continue
		}
		if i > 0 {
			before, part := points[i-1], 1.0
			if p.Y > yMax {
				part = (yMax - before.Y) / (p.Y - before.Y)
			}
			if p.X > xMax {
				part = math.Min(part, (xMax-before.X)/(p.X-before.X))
			}
			inside = append(inside, Point{before.X + (p.X-before.X)*part, before.Y + (p.Y-before.Y)*part})
		}
		break
	}
	return inside
}

// Ticks returns round numbers from 0 to most, about count of them.
func Ticks(most float64, count int) []float64 {
	if !(most > 0) || math.IsInf(most, 0) {
		return []float64{0}
	}
	step := math.Pow(10, math.Floor(math.Log10(most/float64(count))))
	for _, factor := range []float64{1, 2, 5, 10} {
		if most/(step*factor) <= float64(count) {
			step *= factor
			break
		}
	}
	var ticks []float64
	for i := 0; float64(i)*step <= most*1.0001; i++ {
		ticks = append(ticks, float64(i)*step)
	}
	return ticks
}

// NiceMax returns a round number that is not below the largest value.
func NiceMax(largest float64) float64 {
	if !(largest > 0) {
		return 1
	}
	step := math.Pow(10, math.Floor(math.Log10(largest)))
	for _, factor := range []float64{1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10} {
		if largest <= step*factor {
			return step * factor
		}
	}
	return largest
}
