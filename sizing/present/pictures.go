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
	case site.DemoMachine:
		return mark{Class: "r5", Code: "De"}
	case site.Restund, site.Coturn:
		return mark{Class: "r6", Code: "Re"}
	case site.AdminHost:
		return mark{Class: "r7", Code: "Ad"}
	case site.AssetHost:
		return mark{Class: "r8", Code: "As"}
	default:
		return mark{Class: "r7", Code: "Rb"}
	}
}

// Legend returns the marks of the roles that are drawn.
func (v view) Legend() []mark {
	var list []mark
	for _, row := range v.Report.Hardware.Rows {
		m := markOf(row.Role)
		m.Title = row.Title
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
	d := page.NewDrawing("servers", v.T("Servers with their machines", "Server mit ihren Maschinen"), v.serversInWords(servers), serversWidth, each*float64(len(servers))-serverGap/2)
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
		parts = append(parts, v.F("%s: %s; in all %s cores, %s memory, %s disk", "%s: %s; insgesamt %s Kerne, %s Arbeitsspeicher, %s Festplatte",
			s.Name, v.MachineNames(s), v.Int(s.Needs.Cores), v.Size(s.Needs.Memory), v.Size(s.Needs.Disk)))
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
		{v.T("Cores", "Kerne"), func(a sizing.Amounts) int64 { return a.Cores }, func(n int64) string { return v.Int(n) }},
		{v.T("Memory", "Speicher"), func(a sizing.Amounts) int64 { return int64(a.Memory) }, size},
		{v.T("Disk", "Festplatte"), func(a sizing.Amounts) int64 { return int64(a.Disk) }, size},
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
			d.Rect(barLeft, y-2, float64(capacity)*scale, barHeight+4, 2, "spare", v.T("has ", "hat ")+r.shown(capacity))
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
		{Name: v.F("network card: %s", "Netzwerkkarte: %s", v.Rate(c.NIC)), Value: float64(c.NIC) / megabit, Class: "limit"},
		{Name: v.F("with headroom: %s", "mit Reserve: %s", v.Rate(c.Usable)), Value: float64(c.Usable) / megabit, Class: "limit-soft"},
	}
}

func (v view) tick(x float64) string { return v.Report.Language.Decimal(x, 2) }

// ParticipantsDrawing draws what one conference takes by its participants.
func (v view) ParticipantsDrawing() page.HTML {
	c := v.Report.Conferencing
	chart := page.Chart{
		ID: "participants", Title: v.T("Bandwidth of one conference by its participants", "Bandbreite einer Konferenz nach Teilnehmern"),
		XTitle: v.T("participants of one conference", "Teilnehmer einer Konferenz"), YTitle: "Mbit/s",
		XTick: v.tick, YTick: v.tick, YMax: float64(c.NIC) / megabit * 1.2, Limits: v.limits(),
	}
	sent := page.ChartLine{Name: v.T("sent, at most", "gesendet, höchstens"), Class: "line-1"}
	received := page.ChartLine{Name: v.T("received, at most", "empfangen, höchstens"), Class: "line-2"}
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
		chart.Marks = []page.ChartMark{{Name: v.F("your largest: %s", "Ihre größte: %s", v.Int(n)), At: page.Point{X: float64(n), Y: float64(c.OneOfMax.Out) / megabit}}}
	}
	chart.Desc = v.F("Sent rises to the card's %s at about %s participants; received stays below.", "Die gesendete Bandbreite erreicht die %s der Karte bei etwa %s Teilnehmern; die empfangene bleibt darunter.", v.Rate(c.NIC), v.Int(reaches(c, c.NIC)))
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
		ID: "count", Title: v.T("Bandwidth of the fullest conference server by the number of conferences", "Bandbreite des vollsten Konferenzservers nach Zahl der Konferenzen"),
		XTitle: v.T("conferences at the same time", "gleichzeitige Konferenzen"), YTitle: v.T("Mbit/s sent, at most", "Mbit/s gesendet, höchstens"),
		XTick: v.tick, YTick: v.tick, YMax: float64(c.NIC) / megabit * 1.2, Limits: v.limits(), XMax: 10,
	}
	sizes := drawn(c)
	for _, g := range sizes {
		chart.XMax = max(chart.XMax, page.NiceMax(float64(g.Count)*1.25))
	}
	var words []string
	for i, g := range sizes {
		line := page.ChartLine{Name: v.F("of %s", "zu %s", v.Int(g.Participants)), Class: fmt.Sprintf("line-%d", i+1)}
		step := max(1, int64(chart.XMax)/200)
		for n := int64(1); n <= int64(chart.XMax)+step; n += step {
			out := sizing.Worst(int64(g.Each.Out)*n, int64(g.Each.Out), c.Nodes)
			line.Points = append(line.Points, page.Point{X: float64(n), Y: float64(out) / megabit})
		}
		chart.Lines = append(chart.Lines, line)
		planned := float64(sizing.Worst(int64(g.Each.Out)*g.Count, int64(g.Each.Out), c.Nodes)) / megabit
		chart.Marks = append(chart.Marks, page.ChartMark{Name: fmt.Sprintf("%s × %s", v.Int(g.Count), v.Int(g.Participants)), At: page.Point{X: float64(g.Count), Y: planned}})
		words = append(words, v.F("%s conferences of %s: %s", "%s Konferenzen zu %s: %s", v.Int(g.Count), v.Int(g.Participants), v.Rate(site.Kbps(planned*megabit))))
	}
	chart.Desc = strings.Join(words, "; ")
	if chart.Desc == "" {
		chart.Desc = v.T("No conferences are planned.", "Es sind keine Konferenzen geplant.")
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
		ID: "storage-time", Title: v.T("Storage over time", "Speicherplatz im Lauf der Zeit"),
		XTitle: v.T("months from now", "Monate ab jetzt"), YTitle: v.T("% of the disk", "% der Festplatte"),
		XTick: v.tick, YTick: v.tick, XMax: float64(s.Months), YMax: 120,
		Limits: []page.ChartLimit{{Name: v.T("disk full", "Festplatte voll"), Value: 100, Class: "limit"}},
	}
	var words []string
	for i, series := range s.Series[:min(len(s.Series), drawnSizes)] {
		name, _, _ := strings.Cut(series.Title, ",")
		line := page.ChartLine{Name: name, Class: fmt.Sprintf("line-%d", i+1)}
		for month, used := range series.Used {
			at := float64(used) / float64(series.Capacity) * 100
			if series.ID == "asset-host" && month > 0 && used != series.Used[month-1] { // a step, not a slope
				line.Points = append(line.Points, page.Point{X: float64(month), Y: line.Points[len(line.Points)-1].Y})
			}
			line.Points = append(line.Points, page.Point{X: float64(month), Y: at})
		}
		chart.Lines = append(chart.Lines, line)
		words = append(words, v.F("%s: %s of %s after %s months", "%s: %s von %s nach %s Monaten", series.Title, v.GB(series.Used[s.Months]), v.GB(series.Capacity), v.Int(s.Months)))
	}
	chart.Desc = strings.Join(words, "; ")
	return chart.Draw()
}
