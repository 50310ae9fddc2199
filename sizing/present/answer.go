package present

import (
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/site"
)

// verdict is what all findings come to.
type verdict struct {
	Level     sizing.Level
	Word, Why string
}

// verdict returns the answer to whether it will do: what the gravest finding says.
func (t teller) verdict(r *sizing.Report) verdict {
	worst := sizing.Good
	for _, f := range r.Findings {
		if rank(f.Level) < rank(worst) {
			worst = f.Level
		}
	}
	count := 0
	for _, f := range r.Findings {
		if f.Level == worst {
			count++
		}
	}
	if worst == sizing.Info {
		worst = sizing.Good
	}
	code := "verdict." + string(worst)
	return verdict{worst, t.Word(code + ".word"), t.Say(code+".why", "n", count)}
}

// rank orders levels, the gravest first.
func rank(l sizing.Level) int {
	return slices.Index([]sizing.Level{sizing.Fail, sizing.Warn, sizing.Ask, sizing.Info, sizing.Good}, l)
}

// answer is one of the numbers that somebody who buys wants first.
type answer struct{ Title, Value, Text string }

// Number returns the value without its unit.
func (a answer) Number() string {
	number, _, _ := strings.Cut(a.Value, words.NoBreak)
	return number
}

// Unit returns that of the value, if it has one.
func (a answer) Unit() string {
	_, unit, _ := strings.Cut(a.Value, words.NoBreak)
	return unit
}

// answers returns them: servers, cores, memory, disk and network; none where no
// servers of one's own are needed.
func (t teller) answers(r *sizing.Report) []answer {
	if r.Placement == nil {
		return nil
	}
	most, machines, busiest := sizing.Amounts{}, 0, site.Kbps(0)
	for _, s := range r.Placement.Servers {
		most = larger(most, s.Needs)
		machines += len(s.Machines)
		busiest = max(busiest, s.Network.In, s.Network.Out)
	}
	all := r.Placement.Total
	inAll := func(sum string) string { return t.say("page.card.in-all", args{"sum": sum}) }
	network := answer{
		Title: t.Word("page.card.network"), Value: t.lang.Rate(int64(busiest)),
		Text: t.say("page.card.of-card", args{"usable": int64(r.Conferencing.Usable)}),
	}
	if busiest == 0 {
		network.Value, network.Text = "–", t.Word("finding.conference.none.text")
	}
	return []answer{
		{t.Word("page.card.servers"), t.lang.Int(int64(len(r.Placement.Servers))), t.say("page.card.machines", args{"n": machines})},
		{t.Word("page.card.cores"), t.lang.Int(most.Cores), inAll(t.lang.Int(all.Cores))},
		{t.Word("page.card.memory"), t.size(r, most.Memory), inAll(t.size(r, all.Memory))},
		{t.Word("page.card.disk"), t.size(r, most.Disk), inAll(t.size(r, all.Disk))},
		network,
	}
}

// made returns when a report was made, and by what; where that is not known, as in a
// bundle, which has the same bytes whenever it is built, nothing.
func (t teller) made(r *sizing.Report) string {
	switch {
	case r.Made == "":
		return r.Tool
	case r.Tool == "":
		return r.Made
	}
	return t.say("page.meta.made-by", args{"made": r.Made, "tool": r.Tool})
}

// lossRow is what is left of a role when one of these servers is lost.
type lossRow struct {
	Title   string
	Servers string
	sizing.Loss
}

// losses returns for each role what the loss of a server means, once for all servers
// for which it means the same.
func (t teller) losses(r *sizing.Report) []lossRow {
	var rows []lossRow
	for _, role := range site.Roles() {
		var servers [][]string
		first := len(rows)
		for _, s := range r.Placement.Servers {
			i := slices.IndexFunc(s.Lost, func(l sizing.Loss) bool { return l.Role == role })
			if i < 0 || s.Lost[i].Lost == 0 {
				continue
			}
			loss := s.Lost[i]
			at := slices.IndexFunc(rows[first:], func(row lossRow) bool { return row.Level == loss.Level && t.Text(row.Text) == t.Text(loss.Text) })
			if at < 0 {
				at = len(servers)
				rows, servers = append(rows, lossRow{Title: t.roleTitle(r, role), Loss: loss}), append(servers, nil)
			}
			servers[at] = append(servers[at], s.Name)
		}
		for i, names := range servers {
			rows[first+i].Servers = t.serverNames(r, names)
		}
	}
	return rows
}

// serverNames lists servers, in a word where they are all.
func (t teller) serverNames(r *sizing.Report, names []string) string {
	if len(names) == len(r.Placement.Servers) && len(names) > 1 {
		return t.Word("page.loss.any")
	}
	return joined(names)
}

// joined lists names.
func joined(names []string) string { return strings.Join(names, ", ") }

func (t teller) roleTitle(r *sizing.Report, role site.Role) string {
	for _, row := range r.Hardware.Rows {
		if row.Role == role {
			return t.Text(row.Title)
		}
	}
	return string(role)
}
