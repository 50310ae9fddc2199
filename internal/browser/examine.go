package browser

import (
	_ "embed"
)

//go:embed examine.js
var examination string

// Examine returns what is wrong with the page as it is looked at: it is wider
// than the window, a heading is out of order, a picture has no words, text has
// too little contrast with what is behind it (WCAG 2.2 AA).
func (b *Browser) Examine() []string {
	b.t.Helper()
	var bad []string
	b.Eval(examination, &bad)
	return bad
}
