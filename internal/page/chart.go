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
	labelGap                = 13.0 // between the names of two lines, at least
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
	for _, limit := range c.Limits {
		if limit.Value <= c.YMax {
			d.Line(chartLeft, y(limit.Value), chartWidth-chartRight, y(limit.Value), limit.Class)
			d.Text(chartLeft+8, y(limit.Value)-5, "limit-label start", limit.Name)
		}
	}
	var taken []float64
	for _, line := range c.Lines {
		points := clip(line.Points, c.XMax, c.YMax)
		if len(points) == 0 {
			continue
		}
		drawn := make([]Point, len(points))
		for i, p := range points {
			drawn[i] = Point{x(p.X), y(p.Y)}
		}
		d.Polyline(drawn, "line "+line.Class)
		last := drawn[len(drawn)-1]
		at := place(math.Max(last.Y+4, chartTop+10), taken)
		taken = append(taken, at)
		d.Text(last.X+8, at, "line-label start "+line.Class+"-label", line.Name)
	}
	for _, mark := range c.Marks {
		if mark.At.X > c.XMax || mark.At.Y > c.YMax {
			continue
		}
		d.Dot(x(mark.At.X), y(mark.At.Y), 4.5, "mark")
		anchor, shift := "start", 9.0
		if mark.At.X > c.XMax*0.7 {
			anchor, shift = "end", -9.0
		}
		d.Text(x(mark.At.X)+shift, y(mark.At.Y)+14, "mark-label "+anchor, mark.Name)
	}
	return d.HTML()
}

// place moves a name up until it stands clear of the ones before.
func place(y float64, taken []float64) float64 {
	for moved := true; moved; {
		moved = false
		for _, other := range taken {
			if math.Abs(y-other) < labelGap {
				y, moved = other-labelGap, true
			}
		}
	}
	return y
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
