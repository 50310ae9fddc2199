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
// inventory alone.
type layout struct {
	inventory span
	slots     []span // signatures
	entries   []span // as in Inventory.Entries
	size      int64  // of the whole archive, trailer included
}

// layOut computes the layout for an inventory whose encoding has a given size.
// The planner and the verifier share it, so that they cannot disagree.
func layOut(inventory *Inventory, encodedSize int64) layout {
	mtime := inventory.Lock.Release.Date.Time().Unix()
	mtime = min(max(mtime, 0), maxMTime)
	at := int64(0)
	place := func(path manifests.EntryPath, mode uint32, size int64) span {
		s := span{path: path, header: header(string(path), mode, size, mtime), start: at, size: size}
		at = s.next()
		return s
	}
	l := layout{inventory: place(InventoryPath, 0o644, encodedSize)}
	for _, slot := range inventory.Signatures {
		l.slots = append(l.slots, place(slot.Path, 0o644, slot.Size))
	}
	for _, entry := range inventory.Entries {
		l.entries = append(l.entries, place(entry.Path, entry.mode(), entry.Size))
	}
	l.size = at + trailerSize
	return l
}
