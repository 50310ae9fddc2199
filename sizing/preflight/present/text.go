// Package present prints a preflight report: as text for a terminal, as JUnit
// XML for CI, and as one HTML page in the style of the sizing report, in
// English or German. Names and texts in a report come from hosts; they are
// made printable here once more, and escaped.
package present

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/report"
)

// Options say how a report is printed.
type Options struct {
	Lang report.Lang
	All  bool // passed and skipped checks too
}

// Outcome words an outcome.
func Outcome(lang report.Lang, o preflight.Outcome) string {
	switch o {
	case preflight.Pass:
		return lang.T("pass", "bestanden")
	case preflight.Skipped:
		return lang.T("skipped", "übersprungen")
	case preflight.Warn:
		return lang.T("warn", "Warnung")
	case preflight.Error:
		return lang.T("error", "ungemessen")
	}
	return lang.T("fail", "Fehler")
}

var outcomes = []preflight.Outcome{preflight.Fail, preflight.Error, preflight.Warn, preflight.Skipped, preflight.Pass}

// Text writes a report for a terminal: what is wrong, worst first, and what to
// do about it.
func Text(w io.Writer, r *preflight.Report, options Options) error {
	lang := options.Lang
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", summary(r, lang))
	shown := r.Bad()
	if options.All {
		shown = r.Findings
	}
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if len(shown) > 0 {
		fmt.Fprintln(t, lang.T("OUTCOME\tCHECK\tHOST\tFINDING", "ERGEBNIS\tPRÜFUNG\tHOST\tBEFUND"))
	}
	for _, f := range shown {
		message := lang.Of(f.Message)
		if f.Waived != "" {
			message += lang.F(" (waived: %s)", " (ausgenommen: %s)", f.Waived)
		}
		fmt.Fprintln(t, strings.Join([]string{Outcome(lang, f.Outcome), f.ID, dash(f.Host), facts.Printable(message)}, "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	remedies := Remedies(r, lang)
	if len(remedies) > 0 {
		fmt.Fprintf(&b, "\n%s\n", lang.T("What to do:", "Was zu tun ist:"))
	}
	for _, remedy := range remedies {
		fmt.Fprintf(&b, "  [ ] %s\n      %s\n", facts.Printable(remedy.Title()), facts.Printable(remedy.Do))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func summary(r *preflight.Report, lang report.Lang) string {
	var parts []string
	for _, o := range outcomes {
		if n := r.Counts[o]; n > 0 || o == preflight.Fail {
			parts = append(parts, fmt.Sprintf("%d %s", n, Outcome(lang, o)))
		}
	}
	return lang.F("%d hosts, table %s: %s", "%d Hosts, Tabelle %s: %s", len(r.Hosts), r.Table, strings.Join(parts, ", "))
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return facts.Printable(s)
}

// Remedy is one thing to do, and where.
type Remedy struct {
	ID    string
	Hosts []string
	Do    string
}

// Title names the check and the hosts.
func (r Remedy) Title() string {
	if len(r.Hosts) == 0 {
		return r.ID
	}
	return r.ID + ": " + strings.Join(r.Hosts, ", ")
}

// Remedies gives what to do, each thing once with all hosts that need it.
func Remedies(r *preflight.Report, lang report.Lang) []Remedy {
	var remedies []Remedy
	for _, f := range r.Bad() {
		i := slices.IndexFunc(remedies, func(m Remedy) bool { return m.ID == f.ID })
		if i < 0 {
			i = len(remedies)
			remedies = append(remedies, Remedy{ID: f.ID, Do: lang.Of(f.Remedy)})
		}
		where := f.Host
		if where == "" {
			where = f.Object
		}
		if where != "" && !slices.Contains(remedies[i].Hosts, where) {
			remedies[i].Hosts = append(remedies[i].Hosts, where)
		}
	}
	return remedies
}
