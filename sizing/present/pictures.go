package present

import (
	"fmt"
	"strings"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/site"
)

// mark is how a role is drawn: a class of the style sheet and a short name, so
// that colour is never alone.
type mark struct{ Class, Code, Title string }

func markOf(role site.Role) mark {
	switch role {
	case site.Cassandra:
		return mark{Class: "r1", Code: "Ca"}
	case site.MinIO:
		return mark{Class: "r2", Code: "Mi"}
	case site.Elasticsearch:
		return mark{Class: "r3", Code: "El"}
	case site.PostgreSQL:
		return mark{Class: "r4", Code: "Pg"}
	case site.Kubernetes:
		return mark{Class: "r5", Code: "K8"}
	case site.Calling:
		return mark{Class: "r5", Code: "Cl"}
	case site.RabbitMQ:
		return mark{Class: "r6", Code: "Rb"}
	case site.DemoMachine:
		return mark{Class: "r5", Code: "De"}
	case site.Restund, site.Coturn:
		return mark{Class: "r6", Code: "Re"}
	case site.AdminHost:
		return mark{Class: "r7", Code: "Ad"}
	case site.AssetHost:
		return mark{Class: "r8", Code: "As"}
	default:
		return mark{Class: "r7", Code: "–"}
	}
}

// Legend returns the marks of the roles that are drawn.
func (v view) Legend() []mark {
	var list []mark
	for _, row := range v.Report.Hardware.Rows {
		m := markOf(row.Role)
		m.Title = v.Text(row.Title)
		list = append(list, m)
	}
	return list
}

// The frame of the servers' picture, in its own units.
const (
	serversWidth = 720.0
	barLeft      = 104.0
	barRight     = 148.0
	barHeight    = 26.0
	barGap       = 8.0
	serverHead   = 30.0
	serverGap    = 22.0
	codeWidth    = 19.0 // a bar narrower than this has no room for a name
)

// drawnServers bounds the picture; the table has all.
const drawnServers = 12

// ServersDrawing draws the servers with their machines to scale.
func (v view) ServersDrawing() page.HTML {
	servers := v.Report.Placement.Servers
	servers = servers[:min(len(servers), drawnServers)]
	most := sizing.Amounts{Cores: 1, Memory: 1, Disk: 1}
	for _, s := range servers {
		most = larger(larger(most, s.Needs), has(s))
	}
	each := serverHead + 3*(barHeight+barGap) + serverGap
	height := each*float64(len(servers)) - serverGap/2
	d := page.NewDrawing("servers", v.Word("drawing.servers.title"), v.serversInWords(servers), serversWidth, height)
	for i, s := range servers {
		v.drawServer(d, s, most, each*float64(i))
	}
	return d.HTML()
}

// larger returns the larger of each of two amounts.
func larger(a, b sizing.Amounts) sizing.Amounts {
	return sizing.Amounts{Cores: max(a.Cores, b.Cores), Memory: max(a.Memory, b.Memory), Disk: max(a.Disk, b.Disk)}
}

func has(s sizing.PlacedServer) sizing.Amounts {
	if s.Has == nil {
		return sizing.Amounts{}
	}
	return *s.Has
}

func (v view) serversInWords(servers []sizing.PlacedServer) string {
	var parts []string
	for _, s := range servers {
		parts = append(parts, v.say("drawing.servers.each", args{
			"server": s.Name, "machines": v.MachineNames(s),
			"cores": s.Needs.Cores, "memory": v.Size(s.Needs.Memory), "disk": v.Size(s.Needs.Disk),
		}))
	}
	return strings.Join(parts, ". ")
}

func (v view) drawServer(d *page.Drawing, s sizing.PlacedServer, most sizing.Amounts, top float64) {
	d.Rect(0.75, top+0.75, serversWidth-1.5, serverHead+3*(barHeight+barGap)+2, 6, "chassis", "")
	d.Text(14, top+21, "server-name start", s.Name)
	size := func(bytes int64) string { return v.Size(manifests.Bytes(bytes)) }
	for i, r := range []struct {
		name  string
		of    func(sizing.Amounts) int64
		shown func(int64) string
	}{
		{v.Word("drawing.servers.cores"), func(a sizing.Amounts) int64 { return a.Cores }, func(n int64) string { return v.Int(n) }},
		{v.Word("drawing.servers.memory"), func(a sizing.Amounts) int64 { return int64(a.Memory) }, size},
		{v.Word("drawing.servers.disk"), func(a sizing.Amounts) int64 { return int64(a.Disk) }, size},
	} {
		y := top + serverHead + float64(i)*(barHeight+barGap)
		scale := (serversWidth - barLeft - barRight) / float64(r.of(most))
		d.Text(barLeft-12, y+17, "soft-label end", r.name)
		x := barLeft
		for _, m := range s.Machines {
			width, look := float64(r.of(m.Amounts))*scale, markOf(m.Role)
			d.Rect(x, y, width, barHeight, 2, "vm "+look.Class, m.Name+": "+r.shown(r.of(m.Amounts)))
			if width >= codeWidth {
				d.Text(x+width/2, y+17, "vm-label middle", look.Code)
			}
			x += width
		}
		if capacity := r.of(has(s)); capacity > 0 {
			d.Rect(barLeft, y-2, float64(capacity)*scale, barHeight+4, 2, "spare", v.say("drawing.servers.has", args{"amount": r.shown(capacity)}))
		}
		label := r.shown(r.of(s.Needs))
		if capacity := r.of(has(s)); capacity > 0 {
			label += " / " + r.shown(capacity)
		}
		d.Text(serversWidth-14, y+17, "total-label end", label)
	}
}

const megabit = 1000.0 // kbit/s

// limits are the lines that a load should stay below.
func (v view) limits() []page.ChartLimit {
	c := v.Report.Conferencing
	return []page.ChartLimit{
		{Name: v.say("drawing.limit.card", args{"rate": int64(c.NIC)}), Value: float64(c.NIC) / megabit, Class: "limit"},
		{Name: v.say("drawing.limit.headroom", args{"rate": int64(c.Usable)}), Value: float64(c.Usable) / megabit, Class: "limit-soft"},
	}
}

func (v view) tick(x float64) string { return v.lang.Decimal(x, 2) }

// ParticipantsDrawing draws what one conference takes by its participants.
func (v view) ParticipantsDrawing() page.HTML {
	c := v.Report.Conferencing
	chart := page.Chart{
		ID: "participants", Title: v.Word("drawing.one.title"),
		XTitle: v.Word("drawing.one.x"), YTitle: v.lang.Word("unit.Mbps"),
		XTick: v.tick, YTick: v.tick, YMax: float64(c.NIC) / megabit * 1.2, Limits: v.limits(),
	}
	sent := page.ChartLine{Name: v.Word("drawing.one.sent"), Class: "line-1"}
	received := page.ChartLine{Name: v.Word("drawing.one.received"), Class: "line-2"}
	for _, p := range c.Curve {
		sent.Points = append(sent.Points, page.Point{X: float64(p.Participants), Y: float64(p.Traffic.Out) / megabit})
		received.Points = append(received.Points, page.Point{X: float64(p.Participants), Y: float64(p.Traffic.In) / megabit})
		chart.XMax = float64(p.Participants)
		if float64(p.Traffic.Out)/megabit > chart.YMax {
			break
		}
	}
	chart.Lines = []page.ChartLine{sent, received}
	if n := largest(c); n > 0 {
		chart.Marks = []page.ChartMark{{
			Name: v.say("drawing.one.largest", args{"participants": n}), At: page.Point{X: float64(n), Y: float64(c.OneOfMax.Out) / megabit},
		}}
	}
	chart.Desc = v.say("drawing.one.text", args{"card": int64(c.NIC), "participants": reaches(c, c.NIC)})
	return chart.Draw()
}

func largest(c *sizing.Conferencing) int64 {
	largest := int64(0)
	for _, g := range c.Groups {
		largest = max(largest, g.Participants)
	}
	return largest
}

// reaches returns the first number of participants for which one conference takes
// more than a rate.
func reaches(c *sizing.Conferencing, rate site.Kbps) int64 {
	for _, p := range c.Curve {
		if p.Traffic.Out > rate {
			return p.Participants
		}
	}
	return 0
}

// drawnSizes bounds the lines in one picture.
const drawnSizes = 4

// ConferencesDrawing draws what the fullest server sends by the number of
// conferences of one size.
func (v view) ConferencesDrawing() page.HTML {
	c := v.Report.Conferencing
	chart := page.Chart{
		ID: "count", Title: v.Word("drawing.many.title"),
		XTitle: v.Word("drawing.many.x"), YTitle: v.Word("drawing.many.y"),
		XTick: v.tick, YTick: v.tick, YMax: float64(c.NIC) / megabit * 1.2, Limits: v.limits(), XMax: 10,
	}
	sizes := drawn(c)
	for _, g := range sizes {
		chart.XMax = max(chart.XMax, page.NiceMax(float64(g.Count)*1.25))
	}
	var parts []string
	for i, g := range sizes {
		line := page.ChartLine{Name: v.say("drawing.many.line", args{"participants": g.Participants}), Class: fmt.Sprintf("line-%d", i+1)}
		step := max(1, int64(chart.XMax)/200)
		for n := int64(1); n <= int64(chart.XMax)+step; n += step {
			out := sizing.Fullest(n, int64(g.Each.Out)*n, int64(g.Each.Out), c.Nodes)
			line.Points = append(line.Points, page.Point{X: float64(n), Y: float64(out) / megabit})
		}
		chart.Lines = append(chart.Lines, line)
		planned := float64(sizing.Fullest(g.Count, int64(g.Each.Out)*g.Count, int64(g.Each.Out), c.Nodes)) / megabit
		name := fmt.Sprintf("%s × %s", v.Int(g.Count), v.Int(g.Participants))
		chart.Marks = append(chart.Marks, page.ChartMark{Name: name, At: page.Point{X: float64(g.Count), Y: planned}})
		parts = append(parts, v.say("drawing.many.each", args{
			"conferences": g.Count, "participants": g.Participants, "rate": int64(planned * megabit),
		}))
	}
	chart.Desc = strings.Join(parts, "; ")
	if chart.Desc == "" {
		chart.Desc = v.Word("finding.conference.none.text")
	}
	return chart.Draw()
}

// drawn returns the conferences that are drawn: those that take most.
func drawn(c *sizing.Conferencing) []sizing.ConferenceLine {
	if len(c.Groups) <= drawnSizes {
		return c.Groups
	}
	return c.Groups[len(c.Groups)-drawnSizes:]
}

// StorageDrawing draws how full disks get over time, empty if nothing is known.
func (v view) StorageDrawing() page.HTML {
	s := v.Report.Storage
	if len(s.Series) == 0 {
		return ""
	}
	chart := page.Chart{
		ID: "storage-time", Title: v.Word("drawing.time.title"),
		XTitle: v.Word("drawing.time.x"), YTitle: v.Word("drawing.time.y"),
		XTick: v.tick, YTick: v.tick, XMax: float64(s.Months), YMax: 120,
		Limits: []page.ChartLimit{{Name: v.Word("drawing.limit.disk"), Value: 100, Class: "limit"}},
	}
	var parts []string
	for i, series := range s.Series[:min(len(s.Series), drawnSizes)] {
		line := page.ChartLine{Name: v.Text(series.Name), Class: fmt.Sprintf("line-%d", i+1)}
		for month, used := range series.Used {
			at := float64(used) / float64(series.Capacity) * 100
			if series.ID == "asset-host" && month > 0 && used != series.Used[month-1] { // a step, not a slope
				line.Points = append(line.Points, page.Point{X: float64(month), Y: line.Points[len(line.Points)-1].Y})
			}
			line.Points = append(line.Points, page.Point{X: float64(month), Y: at})
		}
		chart.Lines = append(chart.Lines, line)
		parts = append(parts, v.say("drawing.time.each", args{
			"disk": series.Title, "used": int64(series.Used[s.Months]), "capacity": int64(series.Capacity), "months": s.Months,
		}))
	}
	chart.Desc = strings.Join(parts, "; ")
	return chart.Draw()
}
