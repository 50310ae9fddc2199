package present

import (
	"strconv"
	"strings"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing"
)

// args fill the gaps of a message.
type args = message.Args

// teller says what stands below sizing in the catalogue of a language.
type teller struct{ lang *words.Language }

// Text returns a text of the report.
func (t teller) Text(text message.Text) string { return t.lang.Text(text) }

// Word returns words that have no gaps.
func (t teller) Word(code string) string { return t.lang.Word("sizing." + code) }

func (t teller) say(code string, with args) string { return t.lang.Say("sizing."+code, with) }

// Say returns words that have one gap.
func (t teller) Say(code, gap string, value any) string { return t.say(code, args{gap: value}) }

// Level words a level so that it fits a badge.
func (t teller) Level(level sizing.Level) string { return t.Word("level." + string(level)) }

// size words an amount of memory or disk in the unit of the table.
func (t teller) size(r *sizing.Report, b manifests.Bytes) string {
	if r.Hardware != nil && r.Hardware.Rows[0].Unit == "GiB" {
		return t.lang.GiB(int64(b))
	}
	return t.lang.GB(int64(b))
}

// users returns how many there are, and what they grow to.
func (t teller) users(r *sizing.Report) string {
	if g := r.Growth; g != nil {
		return t.say("growth.users", args{"users": g.Users, "after": g.UsersAfter, "months": g.Months})
	}
	return t.lang.Int(r.Site.Users)
}

// unpacked returns what images take unpacked.
func (t teller) unpacked(r *sizing.Report) string {
	for _, f := range r.Storage.Figures {
		if f.ID == "images.unpacked" {
			return t.Text(f.Shown)
		}
	}
	return ""
}

// coresCell returns the cores of a row as the table prints them, marked where
// sources disagree.
func (t teller) coresCell(row sizing.HardwareRow) string {
	text := t.lang.Int(row.Cores)
	if row.MoreThan {
		text = "≥ " + text
	}
	if !row.Differs.IsZero() {
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

// dashed returns a range of ports as it is printed.
func dashed(ports string) string { return strings.ReplaceAll(ports, "-", "–") }

// nodePort returns the port of the nodes that one is passed on to, if any.
func nodePort(p sizing.CallPort) string {
	if p.NodePort == 0 {
		return "–"
	}
	return strconv.Itoa(p.NodePort)
}

// superscript returns a footnote's mark.
func superscript(id string) string {
	const raised = "⁰¹²³⁴⁵⁶⁷⁸⁹"
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return r
		}
		return []rune(raised)[r-'0']
	}, id)
}

func marks(notes []string) string {
	text := ""
	for _, id := range notes {
		text += " " + superscript(id)
	}
	return text
}
