package bundle

import (
	"github.com/islandbundle/island/manifests"
)

// span is where one entry stands in the archive.
type span struct {
	path   manifests.EntryPath
	header []byte
	start  int64 // of the header
	size   int64 // of the content
}

func (s span) content() int64 { return s.start + int64(len(s.header)) }
func (s span) end() int64     { return s.content() + s.size }
func (s span) next() int64    { return s.end() + paddingOf(s.size) }

// layout is where everything stands in an archive. It follows from the
// inventory alone, and in a delta bundle from delta.json too.
type layout struct {
	front   []span // bundle.json and its signatures; in a delta, delta.json and its signatures
	entries []span // the parts
	size    int64  // of the whole archive, trailer included
}

// layOut computes the layout for an inventory whose encoding has a given size,
// and, if there is one, for a delta with an encoding of its own. The planner and
// the verifier share it, so that they cannot disagree.
func layOut(inventory *Inventory, encodedSize int64, delta *Delta, deltaSize int64) layout {
	mtime := inventory.Lock.Release.Date.Time().Unix()
	mtime = min(max(mtime, 0), maxMTime)
	at := int64(0)
	place := func(path manifests.EntryPath, mode uint32, size int64) span {
		s := span{path: path, header: header(string(path), mode, size, mtime), start: at, size: size}
		at = s.next()
		return s
	}
	var l layout
	signed := func(what signedFile, size int64) {
		l.front = append(l.front, place(what.path(), 0o644, size))
		for _, slot := range inventory.Signatures {
			l.front = append(l.front, place(what.slot(slot.signer()), 0o644, slot.Size))
		}
	}
	signed(inventoryFile, encodedSize)
	if delta != nil {
		signed(deltaFile, deltaSize)
	}
	for _, entry := range inArchive(inventory, delta) {
		l.entries = append(l.entries, place(entry.Path, entry.mode(), entry.Size))
	}
	l.size = at + trailerSize
	return l
}

// frontEnd returns where the parts begin.
func (l layout) frontEnd() int64 { return l.front[len(l.front)-1].next() }
