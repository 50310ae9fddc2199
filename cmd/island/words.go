package main

import (
	"fmt"
	"strings"

	"github.com/islandbundle/island/bundle/trust/state"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
)

func releaseLine(r manifests.LockedRelease) string {
	line := fmt.Sprintf("%s %s of %s", r.Name, r.Version, r.Date)
	if r.Cycle != "" {
		line += ", cycle " + r.Cycle
	}
	if r.Profile != "" {
		line += ", profile " + r.Profile
	}
	for i, platform := range r.Platforms {
		separator := ", "
		if i > 0 {
			separator = " and "
		}
		line += separator + platform.String()
	}
	return line
}

// orderOf says what cannot be told of a delivery's place in the order of all of its
// release; nil where its sequence tells it.
func orderOf(r manifests.LockedRelease) *message.Text {
	if !state.Unnumbered(r) {
		return nil
	}
	filled := words.English().Filled(message.Of("patches.order.unknown", nil))
	return &filled
}

// sequenceLine tells where a delivery stands in the order of all of its release.
func sequenceLine(w *printable.Printer, sequence manifests.Sequence, order *message.Text) {
	if order != nil {
		w.Printf("sequence none: %s\n", order.Words)
		return
	}
	w.Printf("sequence %d\n", sequence)
}

// originLine words where something was found.
func originLine(o manifests.Origin) string {
	var parts []string
	if o.Chart != "" {
		parts = append(parts, "chart "+o.Chart)
	}
	for _, part := range []string{o.Object, o.Field, o.List} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if o.Template != "" {
		parts = append(parts, "("+o.Template+")")
	}
	return strings.Join(parts, ", ")
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// firstLine returns the first line of a text, cut for a table.
func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	if runes := []rune(line); len(runes) > 72 {
		return string(runes[:71]) + "…"
	}
	return line
}
