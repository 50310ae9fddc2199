package page

import (
	"math"
	"unicode/utf8"
)

// A label is a name in a chart, which may stand at several places. The first at which
// nothing is in its way is taken, else that with the least.
type label struct {
	words  string
	class  string
	places []labelPlace
}

// labelPlace is where the text begins, ends or has its middle: on its base line.
type labelPlace struct {
	at     Point
	anchor string // start, middle or end
}

// box is what a label covers.
type box struct{ left, top, right, bottom float64 }

// Sizes of a label's letters, in the drawing's own units, rather too large.
const labelRune, labelAscent, labelDescent = 6.9, 10.0, 3.0

func (l label) box(p labelPlace) box {
	width := labelRune * float64(utf8.RuneCountInString(l.words))
	left := p.at.X
	switch p.anchor {
	case "middle":
		left -= width / 2
	case "end":
		left -= width
	}
	return box{left, p.at.Y - labelAscent, left + width, p.at.Y + labelDescent}
}

func (b box) meets(other box) bool {
	return b.left < other.right && other.left < b.right && b.top < other.bottom && other.top < b.bottom
}

// crosses reports whether a straight line goes through a box (Liang and Barsky, 1984).
func (b box) crosses(from, to Point) bool {
	first, last := 0.0, 1.0
	for _, side := range [][2]float64{
		{from.X - to.X, from.X - b.left}, {to.X - from.X, b.right - from.X},
		{from.Y - to.Y, from.Y - b.top}, {to.Y - from.Y, b.bottom - from.Y},
	} {
		switch at := side[1] / side[0]; {
		case side[0] == 0 && side[1] < 0:
			return false
		case side[0] < 0:
			first = math.Max(first, at)
		case side[0] > 0:
			last = math.Min(last, at)
		}
	}
	return first < last
}

// layout finds places for labels among what is drawn.
type layout struct {
	lines [][]Point
	taken []box
}

// inTheWay says how much a label at a place would cover or lie on.
func (l *layout) inTheWay(b box) int {
	much := 0
	for _, line := range l.lines {
		for i := 1; i < len(line); i++ {
			if b.crosses(line[i-1], line[i]) {
				much++
				break
			}
		}
	}
	for _, other := range l.taken {
		if b.meets(other) {
			much += 2 // two names on each other cannot be read at all
		}
	}
	if b.left < 0 || b.top < 0 || b.right > chartWidth || b.bottom > chartHeight {
		much += 4
	}
	return much
}

// place returns the best place for a label, which is taken from then on.
func (l *layout) place(of label) labelPlace {
	best, least := of.places[0], math.MaxInt
	for _, p := range of.places {
		if much := l.inTheWay(of.box(p)); much < least {
			best, least = p, much
		}
	}
	l.taken = append(l.taken, of.box(best))
	return best
}
