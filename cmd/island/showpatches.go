package main

import (
	"fmt"
	"strings"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
)

// patchDetails are the patches that a lock was made with, in order.
type patchDetails []manifests.LockedPatch

func orNone(p patchDetails) patchDetails {
	if p == nil {
		return patchDetails{}
	}
	return p
}

func (l patchDetails) text(w *printable.Printer) {
	if len(l) == 0 {
		w.Printf("no patches\n")
	}
	for _, p := range l {
		w.Printf("%s of %s, %s\n", p.ID, p.Date, p.Severity)
		line := func(what, text string) {
			if text != "" {
				w.Block(fmt.Sprintf("  %-8s  ", what), strings.TrimSpace(text), strings.Repeat(" ", 12))
			}
		}
		line("summary", p.Summary.En)
		for _, v := range p.Vulnerabilities {
			score := ""
			if !v.CVSS.IsZero() {
				score = fmt.Sprintf(" (CVSS %.1f)", v.CVSS.Score)
			}
			line("fixes", v.ID+score)
		}
		line("deadline", p.Deadline.String())
		line("charts", strings.Join(p.Charts, ", "))
		for _, swap := range p.Images {
			line("image", fmt.Sprintf("%s in place of %s", swap.New, swap.Old))
		}
		for _, file := range p.Files {
			line("file", string(file))
		}
		line("removed", strings.Join(p.Removed, ", "))
		for _, v := range p.Values {
			line("set", fmt.Sprintf("%s in the values of chart %s to %q", v.Path, v.Chart, v.Value))
		}
		line("steps", p.Steps.En)
		for _, void := range p.Void {
			line("void", void)
		}
		line("signed", p.SignedBy)
	}
}

// showDocument writes a document that follows from a lock, as it stands in a
// bundle.
func (a *app) showDocument(lock *manifests.Lock, make func(*manifests.Lock) ([]byte, error), none string) error {
	text, err := make(lock)
	if err != nil {
		return err
	}
	if text == nil {
		return usage("island show --patches lists what is in it", "there is nothing to write: %s", none)
	}
	return a.printDocument(text)
}
