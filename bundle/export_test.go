package bundle

import "github.com/islandbundle/island/manifests"

// For tests outside of the package.
var (
	Pad              = pad
	BlankSlot        = blankSlot
	IsBlankSlot      = isBlankSlot
	EmptyTrustedRoot = emptyTrustedRoot
	PairLayers       = pairLayers
)

// PlaceOf returns where the content of an entry stands in the archive, and its size.
func PlaceOf(b *Bundle, path manifests.EntryPath) (offset, size int64) {
	span := b.layout.entries[b.contents.byPath[path]]
	return span.content(), span.size
}
