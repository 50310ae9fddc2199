package browser

import (
	_ "embed"
	"strconv"
)

//go:embed examine.js
var examination string

//go:embed fit.js
var fitting string

// Examine returns what is wrong with the page as it is looked at: it is wider
// than the window, a heading is out of order, a picture has no words, text has
// too little contrast with what is behind it (WCAG 2.2 AA).
func (b *Browser) Examine() []string {
	b.t.Helper()
	var bad []string
	b.Eval(examination, &bad)
	return bad
}

// Widths of windows in which a page has to fit, from a small telephone to a wide screen,
// with those between them in which columns are about to become more or fewer.
var Widths = []int{320, 390, 480, 600, 641, 700, 800, 900, 1000, 1100, 1280, 1400, 1600}

// Fit returns what does not fit on the page in a window of each of [Widths], and on
// paper: text that runs out of its box, words that are broken although they are short.
func (b *Browser) Fit() []string {
	b.t.Helper()
	views := []View{Paper}
	for _, width := range Widths {
		views = append(views, View{Name: strconv.Itoa(width), Width: width})
	}
	var bad []string
	for _, view := range views {
		b.Look(view)
		var found []string
		b.Eval(fitting, &found)
		for _, f := range found {
			bad = append(bad, view.Name+": "+f)
		}
	}
	return bad
}
