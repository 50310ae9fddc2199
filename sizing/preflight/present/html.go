package present

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"

	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/report"
)

const body = `
<section class="grid" aria-label="{{.T "Summary" "Zusammenfassung"}}">
{{- range .Cards}}<div class="card"><h3>{{.Name}}</h3><p class="figure-big">{{.Value}}</p></div>{{end}}
</section>
{{- if not .Bad}}
<p class="lead"><span class="badge ok">{{.T "ready" "bereit"}}</span> {{.T "Nothing was found that stands in the way of the installation." "Es wurde nichts gefunden, was der Installation im Weg steht."}}</p>{{end}}
{{- if .Remedies}}
<h2 id="todo">{{.T "What to do" "Was zu tun ist"}}</h2>
<ul class="findings">{{range .Remedies}}
<li class="keep"><span><span class="tick"></span></span><div><p><strong>{{.Name}}</strong></p><p>{{.Do}}</p></div></li>{{end}}
</ul>{{end}}
{{- if .Bad}}
<h2 id="findings">{{.T "Findings" "Befunde"}}</h2>
<ul class="findings">{{range .Bad}}
<li class="keep"><span><span class="badge {{class .Outcome}}">{{outcome .Outcome}}</span></span><div>
<p><strong>{{with .Host}}{{.}}{{end}}{{with .Role}} ({{.}}){{end}}{{with .Object}} {{.}}{{end}}</strong> · {{title .ID}}</p>
<p>{{text .Message}}</p>
{{- with .Waived}}<p class="hint">{{$.T "Waived:" "Ausgenommen:"}} {{.}}</p>{{end}}
<details class="how"><summary>{{$.T "How it was measured, and who requires it" "Wie gemessen, und wer es verlangt"}}</summary>
<p>{{.ID}}{{with .Observed}} · {{$.T "observed" "gemessen"}} {{.}}{{end}}{{with .Required}} · {{$.T "required" "verlangt"}} {{.}}{{end}}{{with .Unit}} {{.}}{{end}}{{with .Tolerance}} · {{$.T "tolerance" "Toleranz"}} {{.}}{{end}}</p>
<p>{{with .Method}}{{.}} · {{end}}{{.Source}}</p><p>{{why .ID}}</p></details></div></li>{{end}}
</ul>{{end}}
<h2 id="hosts">{{.T "Hosts by role" "Hosts nach Rolle"}}</h2>
<div class="table-wrap"><table>
<thead><tr><th scope="col">{{.T "Role" "Rolle"}}</th><th scope="col">Host</th><th scope="col">{{.T "Address" "Adresse"}}</th><th scope="col" class="num">{{.T "Cores" "Kerne"}}</th><th scope="col" class="num">{{.T "Memory" "Arbeitsspeicher"}}</th><th scope="col">{{.T "Worst finding" "Schlechtester Befund"}}</th></tr></thead>
<tbody>{{range .Hosts}}<tr><td>{{.RoleNames}}</td><th scope="row">{{.Name}}</th><td>{{.Address}}</td><td class="num">{{.Cores}}</td><td class="num">{{.MemoryText}}</td><td><span class="badge {{class .Worst}}">{{outcome .Worst}}</span></td></tr>
{{end}}</tbody></table></div>
{{- with .Matrix}}
<h2 id="matrix">{{$.T "Who reaches whom" "Wer wen erreicht"}}</h2>
<figure><div class="drawing-box">{{.}}</div><figcaption>{{$.T "Rows dial, columns listen. ✓: all ports that the roles need answered. A number: so many did not. Empty: nothing is needed." "Zeilen wählen, Spalten lauschen. ✓: alle Ports, die die Rollen brauchen, haben geantwortet. Eine Zahl: so viele nicht. Leer: nichts wird gebraucht."}}</figcaption></figure>{{end}}
{{- with .Skipped}}
<h2 id="unknown">{{$.T "What was skipped, and why" "Was übersprungen wurde, und warum"}}</h2>
<div class="table-wrap"><table><thead><tr><th scope="col">{{$.T "Check" "Prüfung"}}</th><th scope="col">Host</th><th scope="col">{{$.T "Why" "Warum"}}</th></tr></thead>
<tbody>{{range .}}<tr><th scope="row">{{title .ID}}</th><td>{{.Host}}</td><td>{{text .Message}}</td></tr>
{{end}}</tbody></table></div>{{end}}
`

type hostRow struct {
	preflight.HostSummary
	RoleNames, MemoryText string
}

type remedyRow struct{ Name, Do string }

type view struct {
	report.Lang
	Cards    []report.Pair
	Bad      []preflight.Finding
	Skipped  []preflight.Finding
	Remedies []remedyRow
	Hosts    []hostRow
	Matrix   report.HTML
}

// HTML gives a report as one page that opens without a network.
func HTML(r *preflight.Report, lang report.Lang) ([]byte, error) {
	checks, err := preflight.AllChecks()
	if err != nil {
		return nil, err
	}
	functions := template.FuncMap{
		"outcome": func(o preflight.Outcome) string { return Outcome(lang, o) },
		"class": func(o preflight.Outcome) string {
			return map[preflight.Outcome]string{preflight.Pass: "ok", preflight.Skipped: "note", preflight.Warn: "warn", preflight.Error: "ask", preflight.Fail: "fail"}[o]
		},
		"text":  lang.Of,
		"title": func(id string) string { return checkText(checks, id, lang, false) },
		"why":   func(id string) string { return checkText(checks, id, lang, true) },
	}
	parsed, err := template.New("preflight").Funcs(functions).Parse(body)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := parsed.Execute(&b, newView(r, lang)); err != nil {
		return nil, err
	}
	page := report.Page{
		Lang: lang, Kicker: lang.T("Preflight", "Vorabprüfung"), Title: lang.T("Can the island be installed here?", "Kann die Insel hier installiert werden?"),
		Subtitle: r.Site, Body: report.HTML(b.String()), //nolint:gosec // made by the template above
		Meta: []report.Pair{
			{Name: lang.T("Measured", "Gemessen"), Value: r.Taken}, {Name: lang.T("Hosts", "Hosts"), Value: lang.Int(int64(len(r.Hosts)))},
			{Name: lang.T("Hardware table", "Hardware-Tabelle"), Value: r.Table}, {Name: lang.T("Made by", "Erstellt von"), Value: r.Tool},
		},
		Foot: lang.T("Measured and judged apart: the saved survey can be judged again against another table.", "Gemessen und getrennt davon bewertet: die gespeicherte Messung lässt sich mit einer anderen Tabelle neu bewerten."),
	}
	data, err := page.Render()
	return []byte(printable(string(data))), err
}

// printable takes out of a page what came in with names and is no text: control
// characters but line breaks, and what turns the direction of writing.
func printable(page string) string {
	lines := strings.Split(page, "\n")
	for i, line := range lines {
		lines[i] = facts.Printable(line)
	}
	return strings.Join(lines, "\n")
}

func checkText(checks *preflight.Checks, id string, lang report.Lang, why bool) string {
	check := checks.Check(id)
	switch {
	case check == nil:
		return id
	case why:
		return lang.Of(check.Why)
	}
	return lang.Of(check.Title)
}

func newView(r *preflight.Report, lang report.Lang) view {
	v := view{Lang: lang, Bad: r.Bad(), Matrix: matrix(r, lang)}
	for _, o := range outcomes {
		v.Cards = append(v.Cards, report.Pair{Name: Outcome(lang, o), Value: lang.Int(int64(r.Counts[o]))})
	}
	for _, f := range r.Findings {
		if f.Outcome == preflight.Skipped {
			v.Skipped = append(v.Skipped, f)
		}
	}
	for _, remedy := range Remedies(r, lang) {
		v.Remedies = append(v.Remedies, remedyRow{remedy.Title(), remedy.Do})
	}
	for _, host := range r.Hosts {
		row := hostRow{HostSummary: host, RoleNames: strings.Join(host.Roles, ", ")}
		if host.Memory > 0 {
			row.MemoryText = lang.GB(host.Memory)
		}
		v.Hosts = append(v.Hosts, row)
	}
	return v
}

// matrix draws who reached whom.
func matrix(r *preflight.Report, lang report.Lang) report.HTML {
	if len(r.Links) == 0 {
		return ""
	}
	const cell, left, top = 28.0, 150.0, 34.0
	n := float64(len(r.Hosts))
	index := map[string]int{}
	for i, host := range r.Hosts {
		index[host.Name] = i
	}
	title := lang.T("Matrix of ports between hosts", "Matrix der Ports zwischen Hosts")
	d := report.NewDrawing("matrix-picture", title, matrixText(r, lang), max(left+n*cell+10, 560), top+n*cell+10)
	for i, host := range r.Hosts {
		at := float64(i)*cell + cell/2
		d.Text(left-8, top+at+4, "end tick-label", fmt.Sprintf("%s  %d", short(host.Name), i+1))
		d.Text(left+at, top-8, "middle tick-label", fmt.Sprint(i+1))
		for k := range r.Hosts {
			d.Rect(left+float64(k)*cell+1, top+float64(i)*cell+1, cell-2, cell-2, 3, "chassis", "")
		}
	}
	for _, link := range r.Links {
		row, column := index[link.From], index[link.To]
		x, y := left+float64(column)*cell, top+float64(row)*cell
		class, mark := "vm r4", "✓"
		if len(link.Bad) > 0 {
			class, mark = "vm r6", fmt.Sprint(len(link.Bad))
		}
		d.Rect(x+1, y+1, cell-2, cell-2, 3, class, link.From+" → "+link.To+": "+strings.Join(append([]string{fmt.Sprintf("%d/%d", link.OK, link.Tried)}, link.Bad...), ", "))
		d.Text(x+cell/2, y+cell/2+4, "middle vm-label", mark)
	}
	return d.HTML()
}

const maxLabel = 18

func short(name string) string {
	runes := []rune(name)
	if len(runes) > maxLabel {
		return string(runes[:maxLabel-1]) + "…"
	}
	return name
}

// matrixText says what the picture shows, for those who do not see it.
func matrixText(r *preflight.Report, lang report.Lang) string {
	tried, bad := 0, []string{}
	for _, link := range r.Links {
		tried += link.Tried
		for _, b := range link.Bad {
			bad = append(bad, link.From+" → "+link.To+" "+b)
		}
	}
	if len(bad) == 0 {
		return lang.F("All %d attempts succeeded.", "Alle %d Versuche sind gelungen.", tried)
	}
	return lang.F("%d of %d attempts failed: %s", "%d von %d Versuchen sind gescheitert: %s", len(bad), tried, strings.Join(bad, "; "))
}
