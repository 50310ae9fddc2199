package main

import (
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// counts are the figures by which a person recognises a delivery.
type counts struct {
	Charts  int   `json:"charts"`
	Images  int   `json:"images"`
	Blobs   int   `json:"blobs"`
	Files   int   `json:"files"`
	LeftOut int   `json:"leftOut"`
	Unsure  int   `json:"undecided,omitempty"` // what may be an image and no rule decides
	Bytes   int64 `json:"bytes"`               // of charts, blobs and files, each once
}

func count(lock *manifests.Lock) counts {
	c := counts{
		Charts: len(lock.Charts), Images: len(lock.Images), Blobs: len(lock.Blobs),
		Files: len(lock.Files), LeftOut: len(lock.LeftOut), Unsure: len(lock.Undecided),
	}
	for _, chart := range lock.Charts {
		c.Bytes += chart.Content.Size
	}
	for _, blob := range lock.Blobs {
		c.Bytes += blob.Size
	}
	for _, file := range lock.Files {
		c.Bytes += file.Content.Size
	}
	return c
}

func (c counts) text(w *printable.Printer) {
	w.Printf("charts   %d\n", c.Charts)
	w.Printf("images   %d, in %s\n", c.Images, fault.Counted(c.Blobs, "blob", "blobs"))
	w.Printf("files    %d\n", c.Files)
	w.Printf("left out %d, each with its reason\n", c.LeftOut)
	if c.Unsure > 0 {
		w.Printf("unsure   %d that may be images: island discover lists them, rules of the release decide\n", c.Unsure)
	}
	w.Printf("content  %s\n", manifests.Bytes(c.Bytes))
}
