package bundle

import (
	"encoding/json"
	"errors"

	"github.com/islandbundle/island/manifests"
)

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

// IndexesOf returns the indexes that a bundle has of its images and charts.
func IndexesOf(lock *manifests.Lock) map[string][]byte {
	index, err := json.Marshal(layoutIndex(lock))
	docker, err2 := json.Marshal(dockerIndex(lock))
	charts, err3 := chartIndex(lock)
	if err := errors.Join(err, err2, err3); err != nil {
		panic(err)
	}
	return map[string][]byte{OCIIndexPath: index, DockerPath: docker, ChartIndexPath: charts}
}
