package page

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words"
)

func german(t *testing.T) *words.Language {
	t.Helper()
	l, err := words.All().Parse("de")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTicks(t *testing.T) {
	for most, count := range map[float64]int{1: 5, 10: 5, 36: 8, 350: 8, 1200: 5, 100_000: 8} {
		ticks := Ticks(most, count)
		if len(ticks) < 2 || len(ticks) > count+1 || ticks[len(ticks)-1] > most*1.001 {
			t.Errorf("%v in %d: %v", most, count, ticks)
		}
	}
	for _, most := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if got := Ticks(most, 5); len(got) != 1 {
			t.Errorf("%v: %v", most, got)
		}
	}
	for _, x := range []float64{0.3, 1, 7, 12.5, 99, 1001} {
		if got := NiceMax(x); got < x || got > 2*x {
			t.Errorf("%v is rounded to %v", x, got)
		}
	}
}

func TestPage(t *testing.T) {
	page := Page{
		Language: german(t), Title: "<b>x</b>", Meta: []Pair{{"a", "<i>"}}, Contents: []Link{{"s", "S"}}, Body: `<h2 id="s">S</h2>`,
	}
	first, err := page.Render()
	if err != nil {
		t.Fatal(err)
	}
	second, _ := page.Render()
	if string(first) != string(second) {
		t.Error("the same page gives other bytes")
	}
	if strings.Contains(string(first), "<b>x") || strings.Contains(string(first), "<i>") {
		t.Error("text became markup")
	}
	if !strings.Contains(string(first), "sha256-") {
		t.Error("the policy does not name the style sheet")
	}
}

// TestLinesBreakWhereTheyMay wants options whole, and long names broken at their joints,
// in text alone.
func TestLinesBreakWhereTheyMay(t *testing.T) {
	for body, want := range map[HTML]string{
		`<p>a --save-site</p>`:                                   `<p>a <span class="option">--save-site</span></p>`,
		`<p>on vm_7.rack_b.site.example.org now</p>`:             `<p>on vm_<wbr>7.<wbr>rack_<wbr>b.<wbr>site.<wbr>example.<wbr>org now</p>`,
		`<p>vm.example 1.234.567,0</p>`:                          `<p>vm.example 1.234.567,0</p>`,
		`<a title="--lock" href="#a.b.c.d.e.f.g.h.i.j.k">`:       `<a title="--lock" href="#a.b.c.d.e.f.g.h.i.j.k">`,
		`<svg><text>--x a_very_long_name.of.a.host</text></svg>`: `<svg><text>--x a_very_long_name.of.a.host</text></svg>`,
	} {
		if got := breakable(body); string(got) != want {
			t.Errorf("%s:\ngot  %s\nwant %s", body, got, want)
		}
	}
}

func TestDrawingEscapes(t *testing.T) {
	d := NewDrawing("a", "<t>", "<d>", 10, 10)
	d.Text(0, 0, "start", "<x>&")
	d.Rect(0, 0, 1, 1, 0, "r1", `"<y>`)
	d.Upward(0, 0, "start", "<x>&")
	d.OwnSize()
	out := string(d.HTML())
	if !strings.Contains(out, `width="10" height="10"`) {
		t.Errorf("a picture without its size: %s", out)
	}
	for _, markup := range []string{"<t>", "<d>", "<x>", "<y>"} {
		if strings.Contains(out, markup) {
			t.Errorf("markup in a picture: %s", out)
		}
	}
}

func TestChartStaysInside(t *testing.T) {
	svg := string(Chart{
		ID: "c", Title: "t", Desc: "d", XMax: 10, YMax: 100,
		XTick: func(x float64) string { return "" }, YTick: func(x float64) string { return "" },
		Lines: []ChartLine{
			{Name: "up", Class: "line-1", Points: []Point{{0, 0}, {5, 50}, {20, 400}}},
			{Name: "near", Class: "line-2", Points: []Point{{0, 0}, {10, 99}}},
		},
	}.Draw())
	for _, m := range regexp.MustCompile(`points="([^"]*)"`).FindAllStringSubmatch(svg, -1) {
		for _, point := range strings.Fields(m[1]) {
			xs, ys, _ := strings.Cut(point, ",")
			x, _ := strconv.ParseFloat(xs, 64)
			y, _ := strconv.ParseFloat(ys, 64)
			if x < chartLeft || x > chartWidth-chartRight+0.01 || y < chartTop-0.01 || y > chartHeight-chartBottom {
				t.Errorf("point %s is outside the chart", point)
			}
		}
	}
}

// TestContrast wants WCAG 2.2 AA: 4.5 to 1 for text on what it stands on, 3 to
// 1 for lines that carry meaning.
func TestContrast(t *testing.T) {
	light, rest, _ := strings.Cut(styleSheet, "@media (prefers-color-scheme: dark)")
	dark, rest, _ := strings.Cut(rest, "* { box-sizing")
	_, print, _ := strings.Cut(rest, "@media print")
	for name, sheet := range map[string]string{"light": light, "dark": dark, "print": print} {
		colors := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z0-9-]+): (#[0-9a-f]{3,6});`).FindAllStringSubmatch(sheet, -1) {
			colors[m[1]] = m[2]
		}
		want := func(front, back string, least float64) {
			f, ok1 := colors[front]
			b, ok2 := colors[back]
			if !ok1 || !ok2 {
				t.Errorf("%s: no colour %s or %s", name, front, back)
				return
			}
			if got := contrast(f, b); got < least {
				t.Errorf("%s: %s on %s has %.2f to 1, want %v", name, front, back, got, least)
			}
		}
		for _, back := range []string{"paper", "sheet", "tint"} {
			for _, front := range []string{"ink", "soft", "accent"} {
				want(front, back, 4.5)
			}
		}
		for _, level := range []string{"ok", "warn", "fail", "ask"} {
			want(level, level+"-bg", 4.5)
			want(level, "paper", 4.5)
		}
		want("soft", "note-bg", 4.5)
		for _, line := range []string{"l1", "l2", "l3", "l4"} {
			want(line, "sheet", 4.5) // their names are text
		}
		for _, role := range []string{"r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8"} {
			want("r-ink", role, 4.5)
		}
	}
}

// contrast is WCAG 2.2's contrast ratio.
func contrast(a, b string) float64 {
	la, lb := luminance(a), luminance(b)
	return (math.Max(la, lb) + 0.05) / (math.Min(la, lb) + 0.05)
}

func luminance(hex string) float64 {
	hex = strings.TrimPrefix(hex, "#")
	if len(hex) == 3 {
		hex = strings.Repeat(hex[:1], 2) + strings.Repeat(hex[1:2], 2) + strings.Repeat(hex[2:], 2)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, _ := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// TestLabelsStandClear draws charts whose lines, limits and points crowd each other, and
// wants every name where no line goes through it, and none on another.
func TestLabelsStandClear(t *testing.T) {
	same := func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
	ray := func(name string, slope float64) ChartLine {
		return ChartLine{Name: name, Class: "line-1", Points: []Point{{0, 0}, {1000, 1000 * slope}}}
	}
	limits := []ChartLimit{{Name: "network card: 1 Gbit/s", Value: 1000}, {Name: "with headroom: 700 Mbit/s", Value: 700}}
	for name, c := range map[string]Chart{
		"steep and flat": {
			Lines: []ChartLine{ray("of 120", 60), ray("of 50", 35), ray("of 8", 7), ray("of 3", 1)}, Limits: limits, XMax: 500, YMax: 1200,
			Marks: []ChartMark{{"400 × 3", Point{400, 400}}, {"30 × 8", Point{30, 210}}},
		},
		"along the limits": {
			Lines: []ChartLine{ray("sent, at most", 1.9), ray("received, at most", 1.4)}, Limits: limits, XMax: 500, YMax: 1200,
			Marks: []ChartMark{{"your largest: 250", Point{250, 475}}, {"400 × 2", Point{400, 560}}},
		},
	} {
		c.ID, c.Title, c.Desc, c.XTick, c.YTick = "c", "t", "d", same, same
		svg := string(c.Draw())
		drawn := &layout{}
		for _, m := range regexp.MustCompile(`<polyline points="([^"]*)"`).FindAllStringSubmatch(svg, -1) {
			var line []Point
			for _, point := range strings.Fields(m[1]) {
				xs, ys, _ := strings.Cut(point, ",")
				x, _ := strconv.ParseFloat(xs, 64)
				y, _ := strconv.ParseFloat(ys, 64)
				line = append(line, Point{x, y})
			}
			drawn.lines = append(drawn.lines, line)
		}
		texts := regexp.MustCompile(`<text x="([^"]*)" y="([^"]*)" class="(?:line|limit|mark)-label[^"]* (start|middle|end)">([^<]*)<`)
		labels := texts.FindAllStringSubmatch(svg, -1)
		if len(labels) != len(c.Lines)+len(c.Limits)+len(c.Marks) {
			t.Errorf("%s: %d names in\n%s", name, len(labels), svg)
		}
		for _, m := range labels {
			x, _ := strconv.ParseFloat(m[1], 64)
			y, _ := strconv.ParseFloat(m[2], 64)
			covers := label{words: m[4]}.box(labelPlace{Point{x, y}, m[3]})
			if much := drawn.inTheWay(covers); much > 0 {
				t.Errorf("%s: %q lies on something", name, m[4])
			}
			drawn.taken = append(drawn.taken, covers)
		}
	}
}
