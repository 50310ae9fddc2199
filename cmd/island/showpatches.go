package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
)

// patchDetails are the patches that a lock was made with, in order.
type patchDetails []patchDetail

type patchDetail struct {
	manifests.LockedPatch
	// Run is what is to be run on site, in the order of the list, one patch after the
	// other. A chart is upgraded once, at the first patch that wants it.
	Run []runLine `json:"run"`
}

type runLine struct {
	Command   string `json:"command"`             // for a shell, where charts/ and patches/ of the bundle are
	Rendering string `json:"rendering,omitempty"` // where the chart runs as this, it takes the place of the one before
}

// patchIDs names the patches that a lock was made with, in order.
func patchIDs(lock *manifests.Lock) []string {
	var ids []string
	for _, p := range lock.Patches {
		ids = append(ids, p.ID)
	}
	return ids
}

// patchesLine names patches, whatever the version says of them.
func patchesLine(w *printable.Printer, ids []string) {
	if len(ids) > 0 {
		w.Printf("patches  %s\n", strings.Join(ids, ", "))
	}
}

func patchesOf(lock *manifests.Lock) patchDetails {
	details := patchDetails{}
	commands := manifests.SiteCommands(lock)
	for _, p := range lock.Patches {
		detail := patchDetail{LockedPatch: p, Run: []runLine{}}
		for _, c := range commands[p.ID] {
			detail.Run = append(detail.Run, runLine{c.Line, c.Rendering})
		}
		details = append(details, detail)
	}
	return details
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
		for _, v := range p.Set {
			line("set", setLine(v))
		}
		for _, c := range p.Run {
			if c.Rendering == "" {
				line("run", c.Command)
			} else {
				line("or run", fmt.Sprintf("%s  (where it runs as rendering %s)", c.Command, c.Rendering))
			}
		}
		line("steps", p.Steps.En)
		for _, void := range p.Void {
			line("void", void)
		}
		line("signed", p.SignedBy)
	}
}

// setLine says what a patch sets, its value as JSON.
func setLine(v manifests.PatchedValue) string {
	value, err := json.Marshal(v.Value)
	if err != nil {
		value = fmt.Append(nil, v.Value)
	}
	text := fmt.Sprintf("%s in the values of chart %s to %s", v.Path, v.Chart, value)
	if v.Rendering != "" {
		text += ", rendering " + v.Rendering
	}
	return text
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
