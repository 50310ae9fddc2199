package present

import (
	"strings"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing"
)

// levelWord words a level, in one word that fits a badge.
func levelWord(l page.Lang, level sizing.Level) string {
	switch level {
	case sizing.Fail:
		return l.T("Not possible", "Nicht möglich")
	case sizing.Warn:
		return l.T("Warning", "Warnung")
	case sizing.Ask:
		return l.T("Open", "Offen")
	case sizing.Good:
		return l.T("Holds", "Erfüllt")
	default:
		return l.T("Note", "Hinweis")
	}
}

// superscript returns a footnote's mark.
func superscript(id string) string {
	return strings.NewReplacer("0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹").Replace(id)
}

func marks(notes []string) string {
	text := ""
	for _, id := range notes {
		text += " " + superscript(id)
	}
	return text
}

// coresCell returns the cores of a row as the table prints them, marked where
// sources disagree.
func coresCell(l page.Lang, row sizing.HardwareRow) string {
	text := l.Int(row.Cores)
	if row.MoreThan {
		text = "≥ " + text
	}
	if row.Differs != "" {
		text += " *"
	}
	return text
}

// more returns what stands before an amount that must be exceeded.
func more(row sizing.HardwareRow) string {
	if row.MoreThan {
		return "> "
	}
	return ""
}

// size words an amount of memory or disk in the unit of the table.
func size(r *sizing.Report, b manifests.Bytes) string {
	if r.Hardware != nil && r.Hardware.Rows[0].Unit == "GiB" {
		return r.Language.GiB(int64(b))
	}
	return r.Language.GB(int64(b))
}

func number[T ~int64 | ~int](l page.Lang, n T) string { return l.Int(int64(n)) }
