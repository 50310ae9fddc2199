package browser

import (
	"os"
	"path/filepath"
)

// pictures names the folder in which what was seen is kept, to look at.
const pictures = "ISLAND_PICTURES"

// Show opens a page, examines it in every one of [Views], and returns it on
// paper as PDF. A page that asks for anything beyond itself, or writes into the
// console, is an error. What was seen is kept under the name in the folder that
// ISLAND_PICTURES names, if any.
func (b *Browser) Show(name string, page []byte) []byte {
	b.t.Helper()
	b.Open(page)
	b.keep(name+".html", page)
	for _, view := range Views {
		b.Look(view)
		for _, bad := range b.Examine() {
			b.t.Errorf("%s, %s: %s", name, view.Name, bad)
		}
		if os.Getenv(pictures) != "" {
			b.keep(name+"-"+view.Name+".png", b.Picture())
		}
	}
	pdf := b.PDF()
	b.keep(name+".pdf", pdf)
	if asked, console := b.Asked(), b.Console(); len(asked) > 0 || len(console) > 0 {
		b.t.Errorf("%s: the page asks for %q and its console says %q", name, asked, console)
	}
	return pdf
}

func (b *Browser) keep(name string, data []byte) {
	b.t.Helper()
	if folder := os.Getenv(pictures); folder != "" {
		b.must(os.WriteFile(filepath.Join(folder, name), data, 0o644))
	}
}
