package page

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
)

// Drawing is an inline SVG picture. It is coloured by the style sheet's classes
// alone, since a page allows no style attributes, and carries a title and a
// description for those who do not see it (SVG 2, "Descriptive elements";
// WAI-ARIA Graphics).
type Drawing struct {
	b      strings.Builder
	id     string
	title  string
	desc   string
	width  float64
	height float64
	own    bool
}

// NewDrawing begins a picture with an id that is its own on the page, of a size
// in units that scale with the page.
func NewDrawing(id, title, desc string, width, height float64) *Drawing {
	return &Drawing{id: id, title: title, desc: desc, width: width, height: height}
}

func n(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

func coordinate(x float64) string {
	return n(float64(int64(x*100+0.5)) / 100)
}

// Rect draws a box. title, if any, is what a pointer that rests on it is told.
func (d *Drawing) Rect(x, y, width, height, radius float64, class, title string) {
	fmt.Fprintf(&d.b, `<rect x="%s" y="%s" width="%s" height="%s" rx="%s" class="%s">`,
		coordinate(x), coordinate(y), coordinate(width), coordinate(height), n(radius), template.HTMLEscapeString(class))
	if title != "" {
		fmt.Fprintf(&d.b, "<title>%s</title>", template.HTMLEscapeString(title))
	}
	d.b.WriteString("</rect>")
}

// Line draws a straight line.
func (d *Drawing) Line(x1, y1, x2, y2 float64, class string) {
	fmt.Fprintf(&d.b, `<line x1="%s" y1="%s" x2="%s" y2="%s" class="%s"/>`,
		coordinate(x1), coordinate(y1), coordinate(x2), coordinate(y2), template.HTMLEscapeString(class))
}

// Text writes words; the class says the anchor: start, middle or end.
func (d *Drawing) Text(x, y float64, class, words string) {
	fmt.Fprintf(&d.b, `<text x="%s" y="%s" class="%s">%s</text>`,
		coordinate(x), coordinate(y), template.HTMLEscapeString(class), template.HTMLEscapeString(words))
}

// Point is a place in a drawing.
type Point struct{ X, Y float64 }

// Upward writes words that are read from below to above.
func (d *Drawing) Upward(x, y float64, class, words string) {
	fmt.Fprintf(&d.b, `<text transform="translate(%s %s) rotate(-90)" class="%s">%s</text>`,
		coordinate(x), coordinate(y), template.HTMLEscapeString(class), template.HTMLEscapeString(words))
}

// OwnSize keeps the picture at its size in CSS pixels, where others fill the
// width of the page: for one of many small parts, which rather scrolls.
func (d *Drawing) OwnSize() { d.own = true }

// Polyline joins points.
func (d *Drawing) Polyline(points []Point, class string) {
	var list []string
	for _, p := range points {
		list = append(list, coordinate(p.X)+","+coordinate(p.Y))
	}
	fmt.Fprintf(&d.b, `<polyline points="%s" class="%s"/>`, strings.Join(list, " "), template.HTMLEscapeString(class))
}

// Dot draws a small circle.
func (d *Drawing) Dot(x, y, radius float64, class string) {
	fmt.Fprintf(&d.b, `<circle cx="%s" cy="%s" r="%s" class="%s"/>`,
		coordinate(x), coordinate(y), n(radius), template.HTMLEscapeString(class))
}

// HTML returns the picture as markup.
func (d *Drawing) HTML() HTML {
	id := template.HTMLEscapeString(d.id)
	size := ""
	if d.own {
		size = fmt.Sprintf(` width="%s" height="%s"`, n(d.width), n(d.height))
	}
	return HTML(fmt.Sprintf( //nolint:gosec // every part was escaped above
		`<svg class="drawing"%s viewBox="0 0 %s %s" role="img" aria-labelledby="%s-t %s-d" xmlns="http://www.w3.org/2000/svg">`+
			`<title id="%s-t">%s</title><desc id="%s-d">%s</desc>%s</svg>`,
		size, n(d.width), n(d.height), id, id, id, template.HTMLEscapeString(d.title), id, template.HTMLEscapeString(d.desc), d.b.String()))
}
